//! The streams of one process that runs, and what of them outlives it.

use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::errand::{Errands, Runner, errands};
use super::health::{HealthConfig, HealthProbe};
use super::id::ProcessId;
use super::input::{Input, ProcessInput};
use super::output::{Logged, Output};
use super::reader::Reader;
use super::spawn::Pipes;
use super::stderr::{Stderr, StderrTail};
use super::stream::{Complaints, ProcessStream, StreamError};
use super::watched::Watched;
use crate::system::SystemRef;

/// How long what is left in the pipes of a process that has ended may take to be delivered.
const REST_WITHIN: Duration = Duration::from_secs(5);

/// Where the three streams of a process come from and go to.
#[derive(Debug, Clone, Default)]
pub(super) struct Wiring {
    pub(super) stdin: Input,
    pub(super) stdout: Output,
    pub(super) stderr: Stderr,
    /// What the health probe needs of them.
    needs: Needs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Needs {
    #[default]
    Nothing,
    /// To hear that something comes.
    Sound,
    /// To send a line, and to hear one.
    Lines,
}

impl Wiring {
    pub(super) fn new(stdin: Input, stdout: Output, stderr: Stderr, health: Option<&HealthConfig>) -> Self {
        let needs = match health.map(HealthConfig::probe) {
            Some(HealthProbe::Line { .. }) => Needs::Lines,
            Some(HealthProbe::Heartbeat { .. }) => Needs::Sound,
            _ => Needs::Nothing,
        };
        Self { stdin, stdout, stderr, needs }
    }

    /// That the health probe has the streams that it needs: else what is wrong, to follow "its `health`".
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match self.needs {
            Needs::Lines if self.stdin == Input::Inherit => Err(
                "sends a line to its input, which is that of this program: let it be `Input::Pipe` or `Input::Null`",
            ),
            Needs::Lines if !self.stdout.has_lines() => Err(
                "expects a line of its output, which this program does not read as lines: let it be lines, JSON, logged or dropped",
            ),
            Needs::Sound if matches!(self.stdout, Output::Inherit) && self.stderr == Stderr::Inherit => Err(
                "expects output, and none of it comes to this program: let its output be something else than inherited",
            ),
            _ => Ok(()),
        }
    }

    pub(super) fn has_input(&self) -> bool {
        self.stdin == Input::Pipe || self.needs == Needs::Lines
    }

    /// What the process is given for them.
    pub(super) fn stdio(&self) -> [Stdio; 3] {
        let stdin = match self.stdin {
            _ if self.has_input() => Stdio::piped(),
            Input::Inherit => Stdio::inherit(),
            Input::Null | Input::Pipe => Stdio::null(),
        };
        let stdout = match self.stdout {
            Output::Inherit => Stdio::inherit(),
            Output::Null if self.needs == Needs::Nothing => Stdio::null(),
            Output::Null | Output::Log | Output::Stream(_) => Stdio::piped(),
        };
        let stderr = match self.stderr {
            Stderr::Inherit => Stdio::inherit(),
            Stderr::Null if self.needs != Needs::Sound => Stdio::null(),
            Stderr::Null | Stderr::Log => Stdio::piped(),
        };
        [stdin, stdout, stderr]
    }
}

/// What of the streams of a process outlives each of its incarnations.
#[derive(Debug)]
pub(super) struct Wires {
    id: ProcessId,
    input: ProcessInput,
    tail: Arc<StderrTail>,
    troubles: Arc<AtomicU64>,
    /// What is seen of the process that runs.
    watched: Mutex<Arc<Watched>>,
}

impl Wires {
    pub(super) fn new(id: &ProcessId, wiring: &Wiring) -> Self {
        let input = if wiring.has_input() { Input::Pipe } else { wiring.stdin };
        Self {
            id: id.clone(),
            input: ProcessInput::new(id.clone(), input),
            tail: Arc::default(),
            troubles: Arc::default(),
            watched: Mutex::new(Arc::new(Watched::new())),
        }
    }

    pub(super) fn input(&self) -> &ProcessInput {
        &self.input
    }

    /// The last lines of the standard error, the oldest first.
    pub(super) fn stderr_tail(&self) -> Vec<String> {
        self.tail.lines()
    }

    /// Another process begins.
    pub(super) fn clear_tail(&self) {
        self.tail.clear();
    }

    /// How often something was wrong.
    pub(super) fn troubles(&self) -> u64 {
        self.troubles.load(Ordering::Relaxed)
    }

    pub(super) fn watched(&self) -> Arc<Watched> {
        Arc::clone(&self.watched.lock())
    }
}

/// Reads and writes the streams of one process. Dropped, it does so no more.
#[derive(Debug)]
pub(super) struct Streams {
    wires: Arc<Wires>,
    complaints: Complaints,
    readers: JoinSet<(ProcessStream, Result<(), StreamError>)>,
    /// Those that are read still.
    open: Vec<ProcessStream>,
    /// Not awaited: it ends when the input does.
    writer: JoinSet<()>,
    /// Told when the process has ended.
    ended: Vec<oneshot::Sender<()>>,
    errands: Errands,
    /// What the readers leave to the module's stop hook. `None` where that has it.
    runner: Option<Runner>,
}

impl Streams {
    /// Begins to read and to write. In a runtime, which has its I/O driver.
    ///
    /// # Errors
    /// A pipe cannot be waited for.
    #[expect(clippy::disallowed_methods, reason = "`finish` joins them")]
    pub(super) fn new(wires: &Arc<Wires>, wiring: &Wiring, pipes: Pipes, system: SystemRef) -> io::Result<Self> {
        let complaints = Complaints::new(wires.id.clone(), system, Arc::clone(&wires.troubles));
        let watched = Arc::new(Watched::new());
        *wires.watched.lock() = Arc::clone(&watched);
        let (readers, writer) = (JoinSet::new(), JoinSet::new());
        let (errands, runner) = errands();
        let (wires, open, ended, runner) = (Arc::clone(wires), Vec::new(), Vec::new(), Some(runner));
        let mut streams = Self { wires, complaints, readers, open, writer, ended, errands, runner };
        if let Some(stdout) = pipes.stdout {
            let reader = streams.reader(stdout.into(), ProcessStream::Stdout, &watched)?;
            let output = wiring.stdout.clone();
            streams.readers.spawn(async move { (ProcessStream::Stdout, output.read(reader).await) });
        }
        if let Some(stderr) = pipes.stderr {
            let reader = streams.reader(stderr.into(), ProcessStream::Stderr, &watched)?;
            let (tail, is_logged) = (Arc::clone(&streams.wires.tail), wiring.stderr == Stderr::Log);
            streams.readers.spawn(async move {
                let read = if is_logged {
                    Logged::new(&reader, Some(tail)).read(reader).await
                } else {
                    Output::Null.read(reader).await
                };
                (ProcessStream::Stderr, read)
            });
        }
        if let Some(stdin) = pipes.stdin {
            let pipe = Sender::from_owned_fd(stdin.into())?;
            let writer = streams.wires.input.attach(pipe, streams.complaints.clone());
            streams.writer.spawn(writer);
        }
        Ok(streams)
    }

    fn reader(&mut self, end: OwnedFd, stream: ProcessStream, watched: &Arc<Watched>) -> io::Result<Reader> {
        let pipe = Receiver::from_owned_fd(end)?;
        let (sender, ended) = oneshot::channel();
        self.ended.push(sender);
        self.open.push(stream);
        let (complaints, watched, errands) = (self.complaints.clone(), Arc::clone(watched), self.errands.clone());
        Ok(Reader { pipe, stream, complaints, watched, errands, ended })
    }

    /// Gives what makes the sends that only a stop hook may make: the module's one, while it ends the process.
    pub(super) fn take_runner(&mut self) -> Option<Runner> {
        self.runner.take()
    }

    /// Waits until nothing more can be made of what comes by a stream.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn broken(&mut self) -> (ProcessStream, StreamError) {
        while let Some(read) = self.next_end().await {
            if let (stream, Err(error)) = read {
                return (stream, error);
            }
        }
        std::future::pending().await
    }

    /// Waits until the next stream is read no more.
    async fn next_end(&mut self) -> Option<(ProcessStream, Result<(), StreamError>)> {
        loop {
            // A reader that panicked has said nothing, and reads no more.
            let Ok((stream, read)) = self.readers.join_next().await? else { continue };
            self.open.retain(|open| *open != stream);
            return Some((stream, read));
        }
    }

    /// The process has ended: delivers what is left in its pipes. Gives what could not be made sense of.
    pub(super) async fn finish(mut self) -> Option<(ProcessStream, StreamError)> {
        self.wires.input.detach();
        // Where the stop hook does not have it, there is none.
        self.runner = None;
        for ended in self.ended.drain(..) {
            // What has come to its end already does not want to know.
            let _ = ended.send(());
        }
        let mut broken = None;
        let rest = async {
            while let Some(read) = self.next_end().await {
                if let (stream, Err(error)) = read {
                    broken = Some((stream, error));
                }
            }
        };
        let is_late = timeout(REST_WITHIN, rest).await.is_err();
        if is_late {
            for stream in self.open.drain(..) {
                self.complaints.tell(stream, StreamError::LeftBehind { within: REST_WITHIN });
            }
            self.readers.shutdown().await;
        }
        self.writer.shutdown().await;
        broken
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.wires.input.detach();
    }
}
