//! OS processes as supervised modules (feature `process`).

#![allow(dead_code, reason = "the module of a process is not there yet")]

mod judge;
mod limits;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod proc;
mod rlimit;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod sampler;
mod usage;

pub use judge::LimitLevel;
pub use limits::{Amount, Limit, ResourceLimits};
pub use usage::ResourceUsage;
