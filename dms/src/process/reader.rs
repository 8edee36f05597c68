//! Reading a pipe of a process to its end.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::oneshot;
use tokio::task::coop::consume_budget;

use super::errand::Errands;
use super::split::{Split, broken};
use super::stream::{Complaints, ProcessStream, StreamError};
use super::watched::Watched;

/// How much room there is for each read, besides what a line or a frame that is not whole takes up.
const ROOM: usize = 16 << 10;

/// So much a pipe may hold, where nobody is privileged.
const LARGEST_PIPE: u64 = 1 << 20;

/// How a line or a frame that was read is made use of.
pub(super) trait Take<I>: Send {
    /// Takes one, as soon as there is room for it. An error is told, and the next one comes all the same.
    fn take(&mut self, item: I) -> impl Future<Output = Result<(), StreamError>> + Send;
}

/// Reads one stream of a process.
pub(super) struct Reader {
    pub(super) pipe: Receiver,
    pub(super) stream: ProcessStream,
    pub(super) complaints: Complaints,
    /// Told of each read.
    pub(super) watched: Arc<Watched>,
    /// For what a module takes from stop hooks only.
    pub(super) errands: Errands,
    /// Ready once the process has ended: then only what is in the pipe already is read.
    pub(super) ended: oneshot::Receiver<()>,
}

impl Reader {
    /// Reads to the end: until nobody can write to the pipe any more, or until that has been read which was in it when the process had ended.
    ///
    /// # Errors
    /// Nothing more can be made of what comes.
    pub(super) async fn run<S: Split>(mut self, mut split: S, mut to: impl Take<S::Item>) -> Result<(), StreamError> {
        let mut buffer = BytesMut::with_capacity(ROOM);
        // Once the process has ended: how much of what it wrote is still to be read.
        let mut rest = None;
        loop {
            buffer.reserve(ROOM);
            let read = match &mut rest {
                Some(rest) => {
                    // These reads never wait, and neither does who takes lines for the log.
                    consume_budget().await;
                    self.read_rest(rest, &mut buffer)
                }
                None => self.read(&mut buffer).await,
            };
            let at_end = match read {
                Ok(Read::Some) => {
                    self.watched.heard();
                    false
                }
                Ok(Read::End) => true,
                Ok(Read::ProcessEnded) => {
                    rest = Some(self.in_pipe());
                    continue;
                }
                Err(error) => {
                    self.tell(broken(&error));
                    true
                }
            };
            loop {
                let taken = match split.next(&mut buffer, at_end) {
                    Ok(Some(item)) => to.take(item).await,
                    Ok(None) => break,
                    Err(error) => Err(error),
                };
                if let Err(error) = taken {
                    self.tell(error.clone());
                    if error.is_fatal() {
                        return Err(error);
                    }
                }
            }
            if at_end {
                return Ok(());
            }
        }
    }

    fn tell(&self, error: StreamError) {
        self.complaints.tell(self.stream, error);
    }

    /// Waits for something to read, or for the process to end.
    async fn read(&mut self, buffer: &mut BytesMut) -> io::Result<Read> {
        poll_fn(|cx| {
            // First, so that the pipe is asked once more after it.
            if Pin::new(&mut self.ended).poll(cx).is_ready() {
                return Poll::Ready(Ok(Read::ProcessEnded));
            }
            pin!(self.pipe.read_buf(buffer)).poll(cx).map_ok(Read::of)
        })
        .await
    }

    /// How much is in the pipe. Somebody else may have the other end still, and fill the pipe as fast as it is read; what comes from here on is not the process's.
    fn in_pipe(&self) -> usize {
        // What cannot be counted is read until nothing is there, and no more than the largest pipe holds.
        let bytes = rustix::io::ioctl_fionread(&self.pipe).unwrap_or(LARGEST_PIPE);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// Reads of the `rest` that is there. It asks the operating system, since Tokio may not have heard yet that something is.
    fn read_rest(&self, rest: &mut usize, buffer: &mut BytesMut) -> io::Result<Read> {
        let mut bytes = [0; ROOM];
        let room = ROOM.min(*rest);
        if room == 0 {
            return Ok(Read::End);
        }
        loop {
            match rustix::io::read(&self.pipe, &mut bytes[..room]) {
                Ok(count) => {
                    *rest -= count;
                    buffer.extend_from_slice(&bytes[..count]);
                    return Ok(Read::of(count));
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return Ok(Read::End),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What came of a read.
enum Read {
    Some,
    End,
    ProcessEnded,
}

impl Read {
    const fn of(count: usize) -> Self {
        if count == 0 { Self::End } else { Self::Some }
    }
}
