//! Stands in for spawning where the end of a process cannot be waited for as it is here: nothing is spawned.

use std::process::{ChildStderr, ChildStdin, ChildStdout};

use super::child::Leader;
use super::config::ProcessConfig;
use super::error::{ProcessError, ProcessResult};

/// What would run.
pub(super) struct Spawned {
    pub(super) leader: Leader,
    pub(super) pipes: Pipes,
}

/// This program's ends of what would be piped.
#[derive(Debug)]
pub(super) struct Pipes {
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: Option<ChildStdout>,
    pub(super) stderr: Option<ChildStderr>,
}

/// Says that it cannot.
#[allow(clippy::unused_async, reason = "as where it can")]
pub(super) async fn spawn(config: &ProcessConfig) -> ProcessResult<Spawned> {
    let what = "`pidfd_open`, so processes can be supervised on Linux only";
    Err(ProcessError::Unsupported { id: config.id.clone(), what })
}
