//! How a process is, how it ended, and the event that tells of a change.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, SystemTime};

use super::error::ProcessError;
use super::id::ProcessId;
use super::signal::{Signal, name_of};
use super::usage::ResourceUsage;
use crate::recovery::HealthStatus;

/// How a process is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ProcessStatus {
    /// It is being spawned, or has not passed its first health check.
    Initializing,
    /// It runs, and used hardly any CPU time of late.
    Idle,
    /// It runs, and used more CPU time of late than [`busy_above`](super::ProcessConfig::busy_above) says.
    Busy,
    /// It is halted, by [`pause`](super::ProcessHandle::pause) or by somebody else.
    Paused,
    /// It failed, and says of what. It may be started again, and has ended for good where its module has.
    Error(String),
    /// It was asked to end, and has not yet.
    Stopping,
    /// It ended as it should: it was asked to, or exited with 0.
    Terminated,
}

impl ProcessStatus {
    /// Whether there is a process of the operating system that has come as far as to be well, or is being stopped. One that is [`Initializing`](Self::Initializing) may run too: [`pid`](ProcessReport::pid) says whether signals reach it.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        matches!(self, Self::Idle | Self::Busy | Self::Paused | Self::Stopping)
    }

    /// Whether it is over: [`Error`](Self::Error) or [`Terminated`](Self::Terminated).
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Error(_) | Self::Terminated)
    }
}

impl fmt::Display for ProcessStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Initializing => "initializing",
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Paused => "paused",
            Self::Error(text) => return write!(f, "error: {text}"),
            Self::Stopping => "stopping",
            Self::Terminated => "terminated",
        })
    }
}

/// How one process of the operating system ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExitReport {
    /// The number that it had.
    pub pid: u32,
    /// What it exited with; `None` where a signal ended it.
    pub code: Option<i32>,
    /// The number of the signal that ended it; `None` where it exited.
    pub signal: Option<i32>,
    /// How long it ran.
    pub ran_for: Duration,
    /// Whether it had not ended within its [grace](super::ProcessConfig::grace), and was killed then.
    pub grace_passed: bool,
}

impl ExitReport {
    pub(super) fn new(pid: u32, status: ExitStatus, ran_for: Duration, grace_passed: bool) -> Self {
        Self { pid, code: status.code(), signal: status.signal(), ran_for, grace_passed }
    }

    /// Whether it exited with 0.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.code, Some(0))
    }

    /// The signal that ended it, if it is one with a name.
    #[must_use]
    pub fn signal(&self) -> Option<Signal> {
        self.signal.and_then(Signal::from_number)
    }
}

impl fmt::Display for ExitReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exited with {code}"),
            (None, Some(signal)) => write!(f, "was ended by {}", name_of(signal)),
            (None, None) => f.write_str("ended"),
        }
    }
}

/// What is known of a process, at a moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProcessReport {
    /// What it is called.
    pub id: ProcessId,
    /// Its number, while it runs.
    pub pid: Option<u32>,
    /// How it is.
    pub status: ProcessStatus,
    /// When it was spawned last; `None` where it has not been.
    pub spawn_time: Option<SystemTime>,
    /// How often it was spawned.
    pub starts: u32,
    /// How it ended, the last time that it did.
    pub exit: Option<ExitReport>,
    /// What it failed of last. A start that goes well does not take it away.
    pub last_error: Option<ProcessError>,
    /// The last lines that it wrote to its standard error, the oldest first: up to 20, each cut at 1 KiB.
    pub stderr_tail: Vec<String>,
    /// How well it is, by its [health checks](super::ProcessConfig::health); healthy where it has none and runs.
    pub health: HealthStatus,
    /// How often something was wrong with one of its streams, over its restarts: see [`StreamTrouble`](super::StreamTrouble).
    pub stream_troubles: u64,
    /// What it used when it was last looked at, [every so often](super::ProcessConfig::sample_every). When it has ended, the last of that; `None` before the first look of an incarnation.
    pub usage: Option<ResourceUsage>,
}

impl ProcessReport {
    pub(super) fn new(id: ProcessId) -> Self {
        Self {
            id,
            pid: None,
            status: ProcessStatus::Initializing,
            spawn_time: None,
            starts: 0,
            exit: None,
            last_error: None,
            stderr_tail: Vec::new(),
            health: HealthStatus::Healthy,
            stream_troubles: 0,
            usage: None,
        }
    }

    /// How often it was started again.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        self.starts.saturating_sub(1)
    }
}

/// The event that a process is otherwise than before. The changes of one process come in their order, and no two of them are the same.
///
/// ```
/// # use dms::prelude::*;
/// use dms::process::ProcessChanged;
///
/// #[module]
/// struct Journal;
///
/// #[module]
/// impl Journal {
///     #[event]
///     fn changed(&mut self, change: &ProcessChanged) {
///         println!("{}: {} -> {}", change.id, change.from, change.to);
///     }
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProcessChanged {
    /// What the process is called.
    pub id: ProcessId,
    /// How it was.
    pub from: ProcessStatus,
    /// How it is.
    pub to: ProcessStatus,
    /// The number of the process that the change is about; `None` where it was not spawned.
    pub pid: Option<u32>,
    /// How it ended, where that is the change.
    pub exit: Option<ExitReport>,
    /// The last lines of its standard error, where it ended or failed.
    pub stderr_tail: Vec<String>,
}
