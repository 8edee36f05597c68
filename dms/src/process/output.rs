//! What becomes of a process's standard output: messages of a module, most of all.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::BytesMut;
use serde::de::DeserializeOwned;

use super::errand::Errands;
use super::id::ProcessId;
use super::reader::{Reader, Take};
use super::split::{Frames, Lines, LossyLines};
use super::stderr::StderrTail;
use super::stream::{ProcessStream, StreamError};
use super::watched::Watched;
use crate::message::Format;
use crate::module::remote::contained;
use crate::module::{Recipient, SendError};

/// How many bytes a line may have, where nothing else is said.
const LINE_BYTES: usize = 64 << 10;

/// How many bytes a frame may have, where nothing else is said.
const FRAME_BYTES: usize = 1 << 20;

/// What becomes of a process's standard output.
///
/// As a stream it becomes messages of a module, in order. Where the module's mailbox is bounded and full, nothing more is read until there is room: so the pipe fills up and the process waits, and nothing grows. Give the module a
/// bounded mailbox, `#[module(mailbox = 64)]`. When the process has ended, what is still in the pipe is read and sent before its end is told, for 5 s at most.
///
/// That goes for what it writes when it is asked to end, too: at a shutdown of the system, or where the module is the process's parent, the module takes it as it takes what comes from stop hooks, until its own end. A module that ends
/// before the process does cannot take it: register it before the process, or make it its parent. While a module is being stopped and the process is not, the output waits until the one has ended or the other is stopped.
///
/// What is wrong with a line or a frame is told with the event [`StreamTrouble`](super::StreamTrouble), and counted.
///
/// ```
/// use dms::prelude::*;
/// use dms::process::{Output, ProcessConfig, ProcessLine, ProcessManager};
///
/// #[module(mailbox = 64)]
/// #[derive(Default)]
/// struct Words { sorted: Vec<String> }
///
/// #[module]
/// impl Words {
///     #[handler]
///     fn line(&mut self, line: ProcessLine) { self.sorted.push(line.text); }
///
///     #[handler(Sorted)]
///     fn sorted(&mut self) -> Vec<String> { self.sorted.clone() }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// let words = system.register_module(Words::default()).await?;
/// let manager = ProcessManager::new(&system, ProcessConfig::default());
/// let sort = ProcessConfig::new("sort", "sh").args(["-c", "printf 'pear\nfig\n' | sort"]);
/// let sort = manager.spawn(sort.stdout(Output::lines(words.recipient()))).await?;
/// sort.wait().await?;
/// assert_eq!(words.sorted().await?, ["fig", "pear"]);
/// # system.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Output {
    /// Each line is logged with `tracing`, as those of the [standard error](super::Stderr::Log) are.
    #[default]
    Log,
    /// It goes where this program's goes.
    Inherit,
    /// It is dropped.
    Null,
    /// It becomes messages.
    #[serde(skip)]
    Stream(OutputStream),
}

impl Output {
    /// Each line becomes a message, without its end: `"\n"` or `"\r\n"`. What comes after the last one is a line too.
    ///
    /// A line may have 64 KiB, unless [`max_length`](Self::max_length) says otherwise.
    #[must_use]
    pub fn lines(recipient: Recipient<ProcessLine>) -> Self {
        Self::Stream(OutputStream(Arc::new(TextStream { to: recipient, limit: LINE_BYTES })))
    }

    /// Each line is a JSON value, and becomes the message `M`. Blank lines are skipped.
    ///
    /// A line may have 64 KiB, unless [`max_length`](Self::max_length) says otherwise.
    #[must_use]
    pub fn json<M: DeserializeOwned + Send + 'static>(recipient: Recipient<M>) -> Self {
        Self::values(recipient, Format::Json, LINE_BYTES)
    }

    /// Frames of MessagePack: 4 bytes say how many follow, the highest first, and these are a value, which becomes the message `M`.
    ///
    /// A frame may have 1 MiB, unless [`max_length`](Self::max_length) says otherwise. One that says it is longer fails the process, with [`ProcessError::Stream`](super::ProcessError::Stream): where the next one
    /// begins cannot be known. No room is made for what a header merely says beyond the bound.
    #[must_use]
    pub fn frames<M: DeserializeOwned + Send + 'static>(recipient: Recipient<M>) -> Self {
        Self::values(recipient, Format::MessagePack, FRAME_BYTES)
    }

    fn values<M: DeserializeOwned + Send + 'static>(to: Recipient<M>, format: Format, limit: usize) -> Self {
        Self::Stream(OutputStream(Arc::new(ValueStream { to, format, limit })))
    }

    /// How many bytes a line or a frame may have, where it becomes a message; 0 is taken as 1.
    #[must_use]
    pub fn max_length(self, bytes: usize) -> Self {
        match self {
            Self::Stream(stream) => Self::Stream(OutputStream(stream.0.with_limit(bytes.max(1)))),
            other => other,
        }
    }

    /// Whether it consists of lines that this program reads, or can.
    pub(super) fn has_lines(&self) -> bool {
        match self {
            Self::Log | Self::Null => true,
            Self::Inherit => false,
            Self::Stream(stream) => stream.0.has_lines(),
        }
    }

    /// Reads it.
    pub(super) async fn read(self, reader: Reader) -> Result<(), StreamError> {
        match self {
            Self::Stream(stream) => stream.0.read(reader).await,
            Self::Log => {
                let to = Logged::new(&reader, None);
                reader.run(LossyLines::new(LINE_BYTES), to).await
            }
            // Somebody watches it.
            Self::Null | Self::Inherit => {
                let to = Dropped { watched: Arc::clone(&reader.watched) };
                reader.run(LossyLines::new(LINE_BYTES), to).await
            }
        }
    }
}

/// A standard output that becomes messages: [`Output::lines`], [`json`](Output::json) or [`frames`](Output::frames).
#[derive(Clone)]
pub struct OutputStream(Arc<dyn Stream>);

impl fmt::Debug for OutputStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe(f)
    }
}

/// A line of a process's standard output, as a message: see [`Output::lines`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProcessLine {
    /// What the process is called.
    pub id: ProcessId,
    /// The line, without its end.
    pub text: String,
}

type Reading = Pin<Box<dyn Future<Output = Result<(), StreamError>> + Send>>;

/// Messages of any type that an output becomes.
trait Stream: Send + Sync {
    fn with_limit(&self, limit: usize) -> Arc<dyn Stream>;
    fn has_lines(&self) -> bool;
    fn read(self: Arc<Self>, reader: Reader) -> Reading;
    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

struct TextStream {
    to: Recipient<ProcessLine>,
    limit: usize,
}

impl Stream for TextStream {
    fn with_limit(&self, limit: usize) -> Arc<dyn Stream> {
        Arc::new(Self { to: self.to.clone(), limit })
    }

    fn has_lines(&self) -> bool {
        true
    }

    fn read(self: Arc<Self>, reader: Reader) -> Reading {
        let (id, watched) = (reader.complaints.id().clone(), Arc::clone(&reader.watched));
        let to = TextTo { id, watched, to: To::new(self.to.clone(), &reader) };
        Box::pin(reader.run(Lines::new(self.limit), to))
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("lines").field("to", &self.to).field("limit", &self.limit).finish()
    }
}

struct ValueStream<M> {
    to: Recipient<M>,
    format: Format,
    limit: usize,
}

impl<M: DeserializeOwned + Send + 'static> Stream for ValueStream<M> {
    fn with_limit(&self, limit: usize) -> Arc<dyn Stream> {
        Arc::new(Self { to: self.to.clone(), format: self.format, limit })
    }

    fn has_lines(&self) -> bool {
        self.format == Format::Json
    }

    fn read(self: Arc<Self>, reader: Reader) -> Reading {
        let watched = Arc::clone(&reader.watched);
        let to = ValueTo { watched, format: self.format, limit: self.limit, to: To::new(self.to.clone(), &reader) };
        if self.has_lines() {
            Box::pin(reader.run(Lines::new(self.limit), to))
        } else {
            Box::pin(reader.run(Frames::new(self.limit), to))
        }
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("values")
            .field("format", &self.format)
            .field("to", &self.to)
            .field("limit", &self.limit)
            .finish()
    }
}

/// Sends to a module until that takes nothing any more.
struct To<M> {
    recipient: Recipient<M>,
    errands: Errands,
    is_over: bool,
}

impl<M: Send + 'static> To<M> {
    fn new(recipient: Recipient<M>, reader: &Reader) -> Self {
        Self { recipient, errands: reader.errands.clone(), is_over: false }
    }

    /// Waits for room in the mailbox. What nobody listens to is dropped, and that is told once.
    async fn send(&mut self, message: M) -> Result<(), StreamError> {
        if self.is_over {
            return Ok(());
        }
        let sent = match self.recipient.send(message).await {
            Err(SendError::Stopped(message, _)) => self.send_in_stop(message).await,
            sent => sent.map_err(|error| self.refused(&error)),
        };
        self.is_over = matches!(sent, Err(StreamError::NobodyListens { .. }));
        sent
    }

    /// Sends to a module that is stopping, or whose system is: it takes only what comes from stop hooks, such as the one that ends the process. Until there is one the output is held up, and so is the process, but not for longer than the
    /// module lives.
    async fn send_in_stop(&self, message: M) -> Result<(), StreamError> {
        let recipient = self.recipient.clone();
        let sent = tokio::select! {
            biased;
            () = self.recipient.ended() => None,
            sent = self.errands.run(async move { recipient.send(message).await }) => sent,
        };
        sent.map_or_else(|| Err(self.nobody()), |sent| sent.map_err(|error| self.refused(&error)))
    }

    fn refused(&self, error: &SendError<M>) -> StreamError {
        match error {
            SendError::Stopped(..) => self.nobody(),
            error => StreamError::Refused { module: self.recipient.name(), reason: error.to_string() },
        }
    }

    fn nobody(&self) -> StreamError {
        StreamError::NobodyListens { module: self.recipient.name() }
    }
}

struct TextTo {
    id: ProcessId,
    watched: Arc<Watched>,
    to: To<ProcessLine>,
}

impl Take<String> for TextTo {
    async fn take(&mut self, text: String) -> Result<(), StreamError> {
        if self.watched.takes(&text) {
            return Ok(());
        }
        self.to.send(ProcessLine { id: self.id.clone(), text }).await
    }
}

struct ValueTo<M> {
    watched: Arc<Watched>,
    format: Format,
    limit: usize,
    to: To<M>,
}

impl<M: DeserializeOwned + Send + 'static> ValueTo<M> {
    async fn take_bytes(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        let value = contained(|| self.format.read(bytes, self.limit))?;
        self.to.send(value).await
    }
}

impl<M: DeserializeOwned + Send + 'static> Take<String> for ValueTo<M> {
    async fn take(&mut self, line: String) -> Result<(), StreamError> {
        if line.trim_ascii().is_empty() || self.watched.takes(&line) {
            return Ok(());
        }
        self.take_bytes(line.as_bytes()).await
    }
}

impl<M: DeserializeOwned + Send + 'static> Take<BytesMut> for ValueTo<M> {
    async fn take(&mut self, frame: BytesMut) -> Result<(), StreamError> {
        self.take_bytes(&frame).await
    }
}

/// Lines for the log.
pub(super) struct Logged {
    id: ProcessId,
    stream: ProcessStream,
    watched: Arc<Watched>,
    /// Where the last ones are kept.
    tail: Option<Arc<StderrTail>>,
}

impl Logged {
    pub(super) fn new(reader: &Reader, tail: Option<Arc<StderrTail>>) -> Self {
        let id = reader.complaints.id().clone();
        Self { id, stream: reader.stream, watched: Arc::clone(&reader.watched), tail }
    }

    /// Reads lines for people.
    pub(super) async fn read(self, reader: Reader) -> Result<(), StreamError> {
        reader.run(LossyLines::new(LINE_BYTES), self).await
    }
}

impl Take<String> for Logged {
    async fn take(&mut self, line: String) -> Result<(), StreamError> {
        if self.stream == ProcessStream::Stdout && self.watched.takes(&line) {
            return Ok(());
        }
        tracing::info!(target: "dms::process", process = %self.id, stream = %self.stream, "{line}");
        if let Some(tail) = &self.tail {
            tail.push(line);
        }
        Ok(())
    }
}

/// Lines for nobody but a health probe.
struct Dropped {
    watched: Arc<Watched>,
}

impl Take<String> for Dropped {
    async fn take(&mut self, line: String) -> Result<(), StreamError> {
        self.watched.takes(&line);
        Ok(())
    }
}
