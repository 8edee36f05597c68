//! OS processes as supervised modules (feature `process`, on Unix).
//!
//! A process is a module: the same supervision, names, dependencies, events, health and shutdown. A [`ProcessManager`] spawns processes under a supervisor and knows them by their ids; a [`ProcessHandle`] is a reference to one.
//!
//! # What is left of a process
//!
//! Nothing. A process leads a group of its own, and what it starts is in that group. When it is stopped, when it ends by itself, when its manager is dropped, the system shuts down or the runtime is dropped, what is left of the group is killed,
//! and the process is reaped. When this program is killed, with `SIGKILL` too, the parent-death signal ends the processes, and a small process that outlives this program by a moment ends what is left of their groups.
//! What leaves the group, as a daemon does that calls `setsid`, is nobody's any more.
//!
//! # Where this program is PID 1
//!
//! Then the operating system makes it the parent of every process that loses its own, and so it does with a *subreaper*. Those that stayed in the group of a process that was supervised are reaped here. Others are not: this program may have children of
//! its own, and nobody but it can know which of them it waits for. As the first process of a container it is best begun by an init that does this and nothing else, such as `tini` or `docker run --init`.
//!
//! # Where this program forks
//!
//! Fork without exec, as daemonizing libraries do it, is for a time before the first process is spawned. A fork can spawn nothing, which is an error there; and while it lives, what outlives this program for a moment to end the rest does not hear that
//! this program has ended: the groups of processes then live on until the fork ends, all but the processes themselves, which have their parent-death signal.
//!
//! # Platforms
//!
//! Linux 5.3 and later. On other Unix systems all of this compiles, and each spawn is [`ProcessError::Unsupported`].

// Reading order: `process` is the module, with `state` for what is known of it over its incarnations; `manager` and `handle` are how others reach it. `config` (and `config_file`, how a file writes it; `lookup`, what its texts stand for), `id`, `signal`, `status` and `error` are
// what they say. Below: `spawn` is how one is spawned, on a thread of the `spawners`, with `account` for users, `interpreter` for what runs scripts, and `fork` for what runs in the child; `child` is what runs then, and `graves` waits for it where nobody else does; `guardian` outlives this program. `limits`
// are what a process may use, `rlimit` those that the kernel holds, `usage` what it uses, `sampler` sees that in `proc`, `judge` judges it, and `monitor` has it done and acts; `limit_near` is what others hear of that.
// `streams` are the three of a process that runs: `reader` reads with `split` what becomes messages by `output`, or lines for people in `stderr`, sent by an `errand` where only a stop hook may send; `input` is written; `stream` says what can be wrong. `health` says how it is
// found out whether a process is well, and `probe` does, with what `watched` has seen.

mod account;
mod check;
#[cfg_attr(not(target_os = "linux"), path = "child_off.rs")]
mod child;
mod config;
mod config_file;
mod errand;
mod error;
#[cfg(target_os = "linux")]
mod fork;
#[cfg(target_os = "linux")]
mod graves;
#[cfg(target_os = "linux")]
mod guardian;
mod handle;
mod health;
mod id;
mod input;
mod interpreter;
mod judge;
mod limit_near;
mod limits;
mod lookup;
mod manager;
mod monitor;
mod output;
mod probe;
#[cfg(target_os = "linux")]
mod proc;
#[allow(clippy::module_inception, reason = "the room is named after its main type")]
mod process;
mod reader;
#[cfg(target_os = "linux")]
mod rlimit;
#[cfg_attr(not(target_os = "linux"), path = "sampler_off.rs")]
mod sampler;
mod signal;
#[cfg_attr(not(target_os = "linux"), path = "spawn_off.rs")]
mod spawn;
#[cfg(target_os = "linux")]
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
pub use process::Process;
pub use signal::{Signal, UnknownSignal};
pub use status::{ExitReport, ProcessChanged, ProcessReport, ProcessStatus};
pub use stderr::Stderr;
pub use stream::{ProcessStream, StreamError, StreamTrouble};
pub use usage::ResourceUsage;
