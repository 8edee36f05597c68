//! What a process reads: its standard input, and how lines and values are sent to it.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe::Sender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::id::ProcessId;
use super::split::broken;
use super::stream::{Complaints, ProcessStream, StreamError};
use crate::message::{Format, MAX_PAYLOAD, PayloadError};
use crate::module::remote::contained;

/// How many bytes may wait to be written, besides what the pipe itself holds.
const ROOM: usize = 64 << 10;

/// How many of those that wait are written at once.
const AT_ONCE: usize = 64;

/// Where a process's standard input comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Input {
    /// There is none: it is at its end from the beginning.
    #[default]
    Null,
    /// It is that of this program. Where that is a terminal, a process with a [group of its own](super::ProcessConfig::own_group) is halted when it reads from it.
    Inherit,
    /// It is sent with [`ProcessHandle::input`](super::ProcessHandle::input).
    Pipe,
}

/// Sends a process what it reads from its standard input, which is [`Input::Pipe`]. A cheap handle: it outlives the process's restarts, and clones send to the same process.
///
/// What is sent waits in a buffer of 64 KiB, and is written as fast as the process reads. Where the buffer is full, a send waits for room, in the order in which they came. What is longer than the buffer goes alone.
///
/// A send that is done is not read yet, nor even written: [`flush`](Self::flush) waits for that. What was sent to a process that ends before it read it is lost; one that is started again does not get it.
///
/// ```
/// use dms::prelude::*;
/// use dms::process::{Input, Output, ProcessConfig, ProcessLine, ProcessManager};
///
/// #[module(mailbox = 64)]
/// #[derive(Default)]
/// struct Sums { lines: Vec<String> }
///
/// #[module]
/// impl Sums {
///     #[handler]
///     fn line(&mut self, line: ProcessLine) { self.lines.push(line.text); }
///
///     #[handler(Lines)]
///     fn lines(&self) -> Vec<String> { self.lines.clone() }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// let sums = system.register_module(Sums::default()).await?;
/// let manager = ProcessManager::new(&system, ProcessConfig::default());
/// let config = ProcessConfig::new("sum", "sh").args(["-c", "while read a b; do echo $((a + b)); done"]);
/// let sum = manager.spawn(config.stdin(Input::Pipe).stdout(Output::lines(sums.recipient()))).await?;
/// sum.input().send_line("1 2").await?;
/// sum.input().send_line("20 22").await?;
/// sum.input().close();
/// sum.wait().await?;
/// assert_eq!(sums.lines().await?, ["3", "42"]);
/// # system.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ProcessInput {
    shared: Arc<Shared>,
}

/// What was to be sent to a process was not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The process is configured with another standard input.
    #[error("process `{process}` has no input that could be sent to: configure it with `.stdin(Input::Pipe)`")]
    NotPiped {
        /// The process.
        process: ProcessId,
    },
    /// There is no process now: it has not been spawned, waits to be started again, or has ended.
    #[error("process `{process}` does not run: send again once `ProcessHandle::status` says that it does")]
    NotRunning {
        /// The process.
        process: ProcessId,
    },
    /// Its input was closed, with [`ProcessInput::close`].
    #[error("the input of process `{process}` was closed by this program: send nothing after `close`")]
    Closed {
        /// The process.
        process: ProcessId,
    },
    /// The process does not read any more.
    #[error("process `{process}` does not read its input any more: {reason}")]
    Broken {
        /// The process.
        process: ProcessId,
        /// What the operating system said.
        reason: String,
    },
    /// What was to be one line has an end of a line in it.
    #[error("a line for process `{process}` has a line break in it: send each line by itself")]
    NotOneLine {
        /// The process.
        process: ProcessId,
    },
    /// The value could not be written, or has more than 8 MiB.
    #[error("what was to be sent to process `{process}` cannot be written")]
    Value {
        /// The process.
        process: ProcessId,
        /// Why.
        source: PayloadError,
    },
}

struct Shared {
    id: ProcessId,
    state: Mutex<State>,
}

enum State {
    NotPiped,
    NotRunning,
    Open(Channel),
    Closed,
    Broken(String),
}

/// The way to the process that runs.
#[derive(Clone)]
struct Channel {
    /// Counts the bytes that may come into the buffer. Closed when nothing more may.
    room: Arc<Semaphore>,
    /// Within that room.
    queue: mpsc::UnboundedSender<Piece>,
    /// How many pieces there have been.
    sent: Arc<AtomicU64>,
    /// How many of them have been written.
    written: watch::Receiver<u64>,
}

struct Piece {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl ProcessInput {
    pub(super) fn new(id: ProcessId, input: Input) -> Self {
        let state = if input == Input::Pipe { State::NotRunning } else { State::NotPiped };
        Self { shared: Arc::new(Shared { id, state: Mutex::new(state) }) }
    }

    /// Sends a line; its end is added.
    ///
    /// # Errors
    /// Nothing was sent: the process has no such input, does not run, or does not read any more, or the text is no single line.
    ///
    /// # Cancel safety
    /// Cancel safe: where it is dropped before it is ready, nothing of the line is sent.
    pub async fn send_line(&self, line: impl AsRef<str>) -> Result<(), InputError> {
        let line = line.as_ref();
        if line.contains('\n') {
            return Err(InputError::NotOneLine { process: self.shared.id.clone() });
        }
        if line.len() >= MAX_PAYLOAD {
            return Err(self.unwritable(PayloadError::TooLarge { limit: MAX_PAYLOAD - 1 }));
        }
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        self.send(bytes).await
    }

    /// Sends a value as a line of JSON.
    ///
    /// # Errors
    /// As [`send_line`](Self::send_line), or the value has no such form.
    ///
    /// # Cancel safety
    /// Cancel safe, as [`send_line`](Self::send_line) is.
    pub async fn send_json<V: Serialize + Sync + ?Sized>(&self, value: &V) -> Result<(), InputError> {
        let mut bytes = self.write(Format::Json, value)?;
        bytes.push(b'\n');
        self.send(bytes).await
    }

    /// Sends a value as a frame of MessagePack: 4 bytes say how many follow, the highest first, and these are the value.
    ///
    /// # Errors
    /// As [`send_line`](Self::send_line), or the value has no such form.
    ///
    /// # Cancel safety
    /// Cancel safe, as [`send_line`](Self::send_line) is.
    pub async fn send_frame<V: Serialize + Sync + ?Sized>(&self, value: &V) -> Result<(), InputError> {
        let value = self.write(Format::MessagePack, value)?;
        // It is within `MAX_PAYLOAD`.
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        self.send([&length.to_be_bytes(), &value[..]].concat()).await
    }

    /// Waits until all that was sent before has been written to the pipe, from which the process reads it when it likes.
    ///
    /// # Errors
    /// Not all of it has been written, and never will be.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn flush(&self) -> Result<(), InputError> {
        let open = match &*self.shared.state.lock() {
            State::Open(channel) => Some((channel.sent.load(Ordering::Acquire), channel.written.clone())),
            _ => None,
        };
        let Some((sent, mut written)) = open else { return Err(self.shared.refusal()) };
        let flushed = written.wait_for(|written| *written >= sent).await.is_ok();
        if flushed { Ok(()) } else { Err(self.shared.refusal()) }
    }

    /// Has the process find its input at its end, behind all that was sent. Sends that still wait for room fail. A process that is started again has its input anew.
    pub fn close(&self) {
        let mut state = self.shared.state.lock();
        if let State::Open(channel) = &*state {
            // Who waits for room has a way to the queue, which is to end.
            channel.room.close();
            *state = State::Closed;
        }
    }

    fn write<V: Serialize + ?Sized>(&self, format: Format, value: &V) -> Result<Vec<u8>, InputError> {
        contained(|| format.write(value, MAX_PAYLOAD)).map_err(|error| self.unwritable(error))
    }

    fn unwritable(&self, source: PayloadError) -> InputError {
        InputError::Value { process: self.shared.id.clone(), source }
    }

    async fn send(&self, bytes: Vec<u8>) -> Result<(), InputError> {
        let channel = match &*self.shared.state.lock() {
            State::Open(channel) => Some(channel.clone()),
            _ => None,
        };
        let Some(channel) = channel else { return Err(self.shared.refusal()) };
        let room = u32::try_from(bytes.len().min(ROOM)).unwrap_or(u32::MAX);
        let Ok(room) = channel.room.acquire_many_owned(room).await else { return Err(self.shared.refusal()) };
        // Before, so that a flush that sees the piece counts it.
        channel.sent.fetch_add(1, Ordering::AcqRel);
        channel.queue.send(Piece { bytes, _room: room }).map_err(|_| self.shared.refusal())
    }

    /// Another process begins, whose input this is. Gives what writes it: until it is closed, or read no more.
    pub(super) fn attach(&self, pipe: Sender, complaints: Complaints) -> impl Future<Output = ()> + Send + use<> {
        let room = Arc::new(Semaphore::new(ROOM));
        let (queue, pieces) = mpsc::unbounded_channel();
        let (written, counts) = watch::channel(0);
        let channel = Channel { room: Arc::clone(&room), queue, sent: Arc::default(), written: counts };
        *self.shared.state.lock() = State::Open(channel);
        let writer = Writer { shared: Arc::clone(&self.shared), room, pieces, written };
        writer.run(pipe, complaints)
    }

    /// The process has ended.
    pub(super) fn detach(&self) {
        let mut state = self.shared.state.lock();
        if let State::Open(channel) = &*state {
            channel.room.close();
        }
        if !matches!(*state, State::NotPiped) {
            *state = State::NotRunning;
        }
    }
}

impl Shared {
    /// Why nothing can be sent.
    fn refusal(&self) -> InputError {
        let process = self.id.clone();
        match &*self.state.lock() {
            State::NotPiped => InputError::NotPiped { process },
            // A new process has taken the place of the one that was sent to.
            State::NotRunning | State::Open(_) => InputError::NotRunning { process },
            State::Closed => InputError::Closed { process },
            State::Broken(reason) => InputError::Broken { process, reason: reason.clone() },
        }
    }
}

impl fmt::Debug for ProcessInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProcessInput").field(&self.shared.id).finish()
    }
}

/// Writes what was sent.
struct Writer {
    shared: Arc<Shared>,
    room: Arc<Semaphore>,
    pieces: mpsc::UnboundedReceiver<Piece>,
    written: watch::Sender<u64>,
}

impl Writer {
    async fn run(mut self, mut pipe: Sender, complaints: Complaints) {
        let mut pieces = Vec::with_capacity(AT_ONCE);
        let mut joined = Vec::new();
        while self.pieces.recv_many(&mut pieces, AT_ONCE).await > 0 {
            joined.clear();
            for piece in &pieces {
                joined.extend_from_slice(&piece.bytes);
            }
            let mut written = 0;
            while written < joined.len() {
                match pipe.write(&joined[written..]).await {
                    Ok(count) => written += count,
                    Err(error) => return self.give_up(&error, joined.len() - written, &complaints),
                }
            }
            // What is done makes room, and tells who waits for it.
            let count = pieces.len() as u64;
            pieces.clear();
            self.written.send_modify(|written| *written += count);
            if joined.capacity() > 2 * ROOM {
                joined = Vec::new();
            }
        }
    }

    /// Nobody reads any more.
    fn give_up(mut self, error: &io::Error, unwritten: usize, complaints: &Complaints) {
        {
            let mut state = self.shared.state.lock();
            // It may be another process's by now.
            if matches!(&*state, State::Open(channel) if Arc::ptr_eq(&channel.room, &self.room)) {
                *state = State::Broken(error.to_string());
            }
        }
        self.room.close();
        let mut bytes = unwritten;
        while let Ok(piece) = self.pieces.try_recv() {
            bytes += piece.bytes.len();
        }
        let is_closed = error.kind() == io::ErrorKind::BrokenPipe;
        complaints
            .tell(ProcessStream::Stdin, if is_closed { StreamError::InputClosed { bytes } } else { broken(error) });
    }
}
