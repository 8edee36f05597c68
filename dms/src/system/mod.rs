//! Many modules in one process.
//!
//! Reading order: [`system`] is the main type and [`builder`] its settings; [`register`] brings a module to life, [`registry`] knows those that live, [`shutdown`] ends them in
//! order; [`set`] starts several in the order of their dependencies, which [`requirement`] reads, [`resolve`] finds and [`dependency`] hands to the
//! module; [`supervisor`] is whose child a module becomes, as a value; [`failure`] is that of the system, [`health`] how its modules are; [`pool`] puts several behind one handle; [`event`] brings one event to many, [`published`] is what becomes of it, [`system_event`] what the system
//! itself tells, [`sources`] where it knows that from; [`context`] lets a handler reach the system; `config` is what it is told from outside; `request` asks a module by
//! name (features `config` and `wire`); [`error`] is what can go wrong, and `ended` what is kept of modules that have ended (feature `observe`).

mod builder;
#[cfg(feature = "config")]
mod config;
mod context;
mod dependency;
#[cfg(feature = "observe")]
pub(crate) mod ended;
mod error;
mod event;
mod failure;
mod health;
mod pool;
mod published;
mod register;
mod registry;
#[cfg(feature = "wire")]
mod request;
mod requirement;
mod resolve;
mod set;
mod shutdown;
mod sources;
mod supervisor;
#[allow(clippy::module_inception, reason = "the room is named after its main type")]
mod system;
mod system_event;
mod watchdog;

pub use builder::SystemBuilder;
#[cfg(feature = "config")]
pub use config::{Config, ConfigBuilder, ConfigChanged, ConfigError, ConfigOrigin, ConfigReload};
pub use dependency::DependencyError;
pub use error::{DependencyCandidate, FindError, RegisterError};
pub use failure::SystemFailure;
pub use health::{HealthReport, ModuleHealth};
pub use pool::{Pool, RegisterPool, RegisterPoolFuture, Routing, StopPool};
pub use published::Published;
pub use register::{Register, RegisterFuture};
pub use registry::ModuleSummary;
#[cfg(feature = "wire")]
pub use request::{RequestFuture, SendRequest};
pub use set::{RegisterAll, RegisterSet};
pub use shutdown::ShutdownReport;
pub use supervisor::Supervisor;
pub use system::{System, SystemRef};
pub use system_event::{CpuHotplug, Custom, Event, MemoryPressure, PressureLevel, Shutdown, Tick};
pub use watchdog::HandlerStuck;
