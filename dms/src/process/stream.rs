//! The three streams of a process, and what can be wrong with what comes or goes by them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::id::ProcessId;
use crate::message::PayloadError;
use crate::system::SystemRef;

/// A stream of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessStream {
    /// Its standard input.
    Stdin,
    /// Its standard output.
    Stdout,
    /// Its standard error.
    Stderr,
}

impl fmt::Display for ProcessStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Stdin => "stdin",
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        })
    }
}

/// What is wrong with something that came or went by a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// A line has no end within the bound. The whole of it is skipped, and the next one read.
    #[error(
        "a line is longer than {limit} bytes and was skipped: let the process write shorter ones, or raise the bound with `Output::max_length`"
    )]
    TooLong {
        /// How many bytes a line may have.
        limit: usize,
    },
    /// A line is not UTF-8. It was skipped.
    #[error("a line is not UTF-8 and was skipped: let the process write text")]
    NotUtf8,
    /// A line or a frame cannot be read as the message that it should be. It was skipped.
    #[error("what it wrote cannot be read as a message and was skipped")]
    Undecodable(#[from] PayloadError),
    /// A frame says that it is longer than the bound. Where the next one begins cannot be known, so the process has failed.
    #[error(
        "a frame says that it has {length} bytes, and {limit} are allowed: let the process write big-endian lengths of 4 bytes, or raise the bound with `Output::max_length`"
    )]
    FrameTooLong {
        /// What its header says.
        length: u64,
        /// How many bytes a frame may have.
        limit: usize,
    },
    /// The stream ended within a frame, which was dropped.
    #[error("it ended within a frame; the {bytes} bytes of it that came were dropped")]
    Truncated {
        /// How many bytes were there, the header among them.
        bytes: usize,
    },
    /// The module that was to have it has ended, or is stopping and takes nothing any more. The output is read on, and dropped.
    #[error(
        "module `{module}`, which was to have its output, takes no more: it has ended or is stopping, and the output is dropped"
    )]
    NobodyListens {
        /// The module's name.
        module: String,
    },
    /// The module that was to have it did not take a message, though it goes on: its mailbox is full and rejects what does not fit, or it waits for the process's module. The message was dropped.
    #[error("module `{module}` did not take its output: {reason}")]
    Refused {
        /// The module's name.
        module: String,
        /// Why it did not.
        reason: String,
    },
    /// The process had ended, and what was still in its pipe was not taken in time: the module that was to have it is too slow. It was dropped.
    #[error("what it left in the pipe was not taken within {within:?} and was dropped")]
    LeftBehind {
        /// How long that may take.
        within: Duration,
    },
    /// The process does not read its standard input any more. What had been sent and not read is lost.
    #[error("it closed its input; {bytes} bytes that were sent to it are lost")]
    InputClosed {
        /// How many bytes had not been written.
        bytes: usize,
    },
    /// The pipe could not be read or written.
    #[error("the pipe broke: {reason}")]
    Broken {
        /// What the operating system said.
        reason: String,
    },
}

impl StreamError {
    /// Whether nothing more can be made of the stream.
    pub(super) const fn is_fatal(&self) -> bool {
        matches!(self, Self::FrameTooLong { .. })
    }
}

/// The event that something is wrong with what a process reads or writes. Each time counts, in [`ProcessReport::stream_troubles`](super::ProcessReport) too.
///
/// ```
/// # use dms::prelude::*;
/// use dms::process::StreamTrouble;
///
/// #[module]
/// struct Journal;
///
/// #[module]
/// impl Journal {
///     #[event]
///     fn trouble(&mut self, trouble: &StreamTrouble) {
///         println!("{}, {}: {}", trouble.id, trouble.stream, trouble.error);
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamTrouble {
    /// What the process is called.
    pub id: ProcessId,
    /// Which of its streams it is.
    pub stream: ProcessStream,
    /// What is wrong.
    pub error: StreamError,
    /// How often something was wrong with a stream of this process so far, this time among them, over its restarts.
    pub count: u64,
}

/// Where troubles go: they are counted, published, and now and then logged.
#[derive(Debug, Clone)]
pub(super) struct Complaints {
    id: ProcessId,
    system: SystemRef,
    count: Arc<AtomicU64>,
}

impl Complaints {
    pub(super) fn new(id: ProcessId, system: SystemRef, count: Arc<AtomicU64>) -> Self {
        Self { id, system, count }
    }

    /// The process that they are about.
    pub(super) fn id(&self) -> &ProcessId {
        &self.id
    }

    pub(super) fn tell(&self, stream: ProcessStream, error: StreamError) {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        // The first ones, and ever fewer of a flood.
        if count < 8 || count.is_power_of_two() {
            tracing::warn!(target: "dms::process", process = %self.id, %stream, count, %error, "stream trouble");
        }
        drop(self.system.publish(StreamTrouble { id: self.id.clone(), stream, error, count }));
    }
}
