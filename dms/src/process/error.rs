//! What can go wrong with a process.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::id::ProcessId;
use super::limits::{Amount, Limit};
use super::signal::Signal;
use super::status::{ExitReport, ProcessStatus};
use super::stream::{ProcessStream, StreamError};
use crate::module::{Failure, StopError};
use crate::system::RegisterError;

/// What an operation on a process gives.
pub type ProcessResult<T> = Result<T, ProcessError>;

/// What can go wrong with a process: when it is spawned, while it runs, and when it is told something.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// A process or another module that lives has the id.
    #[error("the id `{id}` is taken: stop what has it first, or give this process another one")]
    Taken {
        /// The id.
        id: ProcessId,
    },
    /// The manager has spawned no process of this id.
    #[error("no process has the id `{id}`; there {}", existing(.ids))]
    NotFound {
        /// The id.
        id: ProcessId,
        /// Those that there are.
        ids: Vec<ProcessId>,
    },
    /// There is no such program.
    #[error("process `{id}` was not spawned: there is no program {}{}", .program.display(), within(.searched.as_deref()))]
    ProgramNotFound {
        /// The process.
        id: ProcessId,
        /// The program as it was to be found, with the directory that the path begins at.
        program: PathBuf,
        /// The `PATH` it was looked for in, where it was given without a directory.
        searched: Option<String>,
    },
    /// The program is there, and what it is run by is not: the interpreter that the first line of a script names, or the loader of a binary that was built for another system.
    #[error("process `{id}` was not spawned: {} is run by {}, which is not there", .program.display(), .interpreter.display())]
    InterpreterNotFound {
        /// The process.
        id: ProcessId,
        /// The program.
        program: PathBuf,
        /// What is missing.
        interpreter: PathBuf,
    },
    /// The program is there, and may not be run: it is not executable, or in a directory that may not be searched.
    #[error(
        "process `{id}` was not spawned: {} may not be run; see that it is an executable file, and that its directories may be searched", .program.display()
    )]
    NotExecutable {
        /// The process.
        id: ProcessId,
        /// The program.
        program: PathBuf,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// The working directory is not there, is no directory, or may not be entered.
    #[error("process `{id}` was not spawned: its working directory {} cannot be entered", .directory.display())]
    Directory {
        /// The process.
        id: ProcessId,
        /// The directory.
        directory: PathBuf,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// There is no such user.
    #[error("process `{id}` was not spawned: {} knows no user `{user}`", .database.display())]
    UnknownUser {
        /// The process.
        id: ProcessId,
        /// The name.
        user: String,
        /// Where it was looked for.
        database: PathBuf,
    },
    /// There is no such group.
    #[error("process `{id}` was not spawned: {} knows no group `{group}`", .database.display())]
    UnknownGroup {
        /// The process.
        id: ProcessId,
        /// The name.
        group: String,
        /// Where it was looked for.
        database: PathBuf,
    },
    /// This program may not have a process run as another user or group.
    #[error(
        "process `{id}` was not spawned: this program may not run {} as another user or group; that takes root or CAP_SETUID", .program.display()
    )]
    User {
        /// The process.
        id: ProcessId,
        /// The program.
        program: PathBuf,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// The program could not be spawned, for a reason that has no variant of its own.
    #[error("process `{id}` was not spawned: {} could not be started", .program.display())]
    Spawn {
        /// The process.
        id: ProcessId,
        /// The program.
        program: PathBuf,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// A setting of the process cannot be.
    #[error("process `{id}` was not spawned: its `{setting}` {reason}")]
    Setting {
        /// The process.
        id: ProcessId,
        /// The setting.
        setting: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// This platform cannot do it.
    #[error("process `{id}`: this platform has no {what}")]
    Unsupported {
        /// The process.
        id: ProcessId,
        /// What is missing.
        what: &'static str,
    },
    /// The process went over one of its [limits](super::ResourceLimits), and was killed with its group.
    #[error("process `{id}` went over its limit of {limit}: it used {used}, and may use {allowed}")]
    ResourceLimit {
        /// The process.
        id: ProcessId,
        /// Which limit.
        limit: Limit,
        /// How much it might use.
        allowed: Amount,
        /// How much it used when that was seen.
        used: Amount,
    },
    /// The process ended by itself, and not with 0.
    #[error("process `{id}` (pid {}) {exit}{}", .exit.pid, last_words(.stderr_tail))]
    Ended {
        /// The process.
        id: ProcessId,
        /// How it ended.
        exit: ExitReport,
        /// The last lines of its standard error.
        stderr_tail: Vec<String>,
    },
    /// Nothing more can be made of what the process writes, so it was ended.
    #[error("process `{id}` failed: its {stream} cannot be read on")]
    Stream {
        /// The process.
        id: ProcessId,
        /// Which of its streams it is.
        stream: ProcessStream,
        /// What is wrong.
        source: StreamError,
    },
    /// It failed too many health checks in a row, so it was ended.
    #[error("process `{id}` failed {failures} health checks in a row: {reason}")]
    Unhealthy {
        /// The process.
        id: ProcessId,
        /// How many.
        failures: u32,
        /// What the last one found.
        reason: String,
    },
    /// There is no process to be told anything: it has ended, or waits to be started again.
    #[error("process `{id}` does not run: it is {status}")]
    NotRunning {
        /// The process.
        id: ProcessId,
        /// How it is.
        status: ProcessStatus,
    },
    /// The signal could not be sent.
    #[error("{signal} was not sent to process `{id}`")]
    Signal {
        /// The process.
        id: ProcessId,
        /// The signal.
        signal: Signal,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// The process was killed, and has not ended: it waits in the kernel, as for a disk that does not answer, or a debugger holds it. It is reaped when it does.
    #[error(
        "process `{id}` (pid {pid}) was killed and has not ended within {within:?}: it waits in the kernel, or is traced; /proc/{pid}/status says in which state it is"
    )]
    Unkillable {
        /// The process.
        id: ProcessId,
        /// Its number.
        pid: u32,
        /// How long it was waited for.
        within: Duration,
    },
    /// The process could not be waited for.
    #[error(
        "what becomes of process `{id}` (pid {pid}) cannot be known; see that nothing else in this program reaps its children, and that `SIGCHLD` is not ignored"
    )]
    Wait {
        /// The process.
        id: ProcessId,
        /// Its number.
        pid: u32,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// The module of the process was not registered.
    #[error("process `{id}` was not spawned: its module was not registered")]
    Register {
        /// The process.
        id: ProcessId,
        /// Why.
        source: Arc<RegisterError>,
    },
    /// The module of the process was not told to stop.
    #[error("process `{id}` was not stopped")]
    Stop {
        /// The process.
        id: ProcessId,
        /// Why.
        source: StopError,
    },
}

impl ProcessError {
    /// The error of a registration that did not come about.
    pub(super) fn of_registration(id: ProcessId, error: RegisterError) -> Self {
        match error {
            RegisterError::NameTaken { .. } => Self::Taken { id },
            RegisterError::Hook { module, hook, source } => match source.downcast::<Self>() {
                Ok(error) => *error,
                Err(source) => {
                    let error = RegisterError::Hook { module, hook, source };
                    Self::Register { id, source: Arc::new(error) }
                }
            },
            error => Self::Register { id, source: Arc::new(error) },
        }
    }

    /// The error of a process whose module failed for its health.
    pub(super) fn unhealthy(id: &ProcessId, failure: Option<Failure>) -> Option<Self> {
        match failure {
            Some(Failure::Health { reason, failures }) => Some(Self::Unhealthy { id: id.clone(), failures, reason }),
            _ => None,
        }
    }

    /// What it says, with what the operating system said.
    pub(super) fn text(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

fn existing(ids: &[ProcessId]) -> String {
    match ids {
        [] => "are none".to_owned(),
        ids => format!("are: {}", ids.iter().map(ProcessId::as_str).collect::<Vec<_>>().join(", ")),
    }
}

fn within(path: Option<&str>) -> String {
    path.map(|path| format!(" in {path}")).unwrap_or_default()
}

/// The last lines of a process, to be read in one.
fn last_words(lines: &[String]) -> String {
    let last = lines.iter().rev().map(|line| line.trim()).filter(|line| !line.is_empty()).take(3);
    let mut last: Vec<_> = last.collect();
    last.reverse();
    if last.is_empty() { String::new() } else { format!("; it said: {}", last.join(" | ")) }
}
