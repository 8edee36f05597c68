//! OS processes as supervised modules (feature `process`, on Unix).
//!
//! A process is a module: the same supervision, names, dependencies, events, health and shutdown. A [`ProcessManager`] spawns processes under a supervisor and knows them by their ids; a [`ProcessHandle`] is a reference to one.
//!
//! # What is left of a process
//!
//! Nothing. A process leads a group of its own, and what it starts is in that group. When it is stopped, when it ends by itself, when its manager is dropped, the system shuts down or the runtime is dropped, what is left of the group is killed,
//! and the process is reaped. When this program is killed, with `SIGKILL` too, the parent-death signal ends the processes, and a small process that outlives this program by a moment ends what is left of their groups.
//! What leaves the group, as a daemon does that calls `setsid`, is nobody's any more.

// Reading order: `process` is the module, with `state` for what is known of it over its incarnations; `manager` and `handle` are how others reach it. `config` (and `config_file`, how a file writes it), `id`, `signal`, `status` and `error` are
// what they say. Below: `spawn` is how one is spawned, on a thread of the `spawners`, with `account` for users and `fork` for what runs in the child; `child` is what runs then, and `graves` waits for it where nobody else does; `guardian` outlives this program. `limits`
// are what a process may use, `rlimit` those that the kernel holds, `usage` what it uses, `sampler` sees that in `proc`, `judge` judges it, and `monitor` has it done and acts; `limit_near` is what others hear of that.
// `streams` are the three of a process that runs: `reader` reads with `split` what becomes messages by `output`, or lines for people in `stderr`, sent by an `errand` where only a stop hook may send; `input` is written; `stream` says what can be wrong. `health` says how it is
// found out whether a process is well, and `probe` does, with what `watched` has seen.

mod account;
mod check;
mod child;
mod config;
mod config_file;
mod errand;
mod error;
mod fork;
mod graves;
mod guardian;
mod handle;
mod health;
mod id;
mod input;
mod judge;
mod limit_near;
mod limits;
mod manager;
mod monitor;
mod output;
mod probe;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod proc;
#[allow(clippy::module_inception, reason = "the room is named after its main type")]
mod process;
mod reader;
mod rlimit;
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "sampler_off.rs")]
mod sampler;
mod signal;
mod spawn;
mod spawners;
mod split;
mod state;
mod status;
mod stderr;
mod stream;
mod streams;
mod usage;
mod watched;

pub use config::ProcessConfig;
pub use error::{ProcessError, ProcessResult};
pub use handle::ProcessHandle;
pub use health::{HealthConfig, HealthProbe};
pub use id::ProcessId;
pub use input::{Input, InputError, ProcessInput};
pub use judge::LimitLevel;
pub use limit_near::LimitNear;
pub use limits::{Amount, Limit, ResourceLimits};
pub use manager::ProcessManager;
pub use output::{Output, OutputStream, ProcessLine};
pub use process::{AskToEnd, Pause, Process, ProcessRef, Report, Resume, SendSignal};
pub use signal::{Signal, UnknownSignal};
pub use status::{ExitReport, ProcessChanged, ProcessReport, ProcessStatus};
pub use stderr::Stderr;
pub use stream::{ProcessStream, StreamError, StreamTrouble};
pub use usage::ResourceUsage;
