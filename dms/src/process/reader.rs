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

use super::split::{Split, broken};
use super::stream::{Complaints, ProcessStream, StreamError};
use super::watched::Watched;

/// How much room there is for each read, besides what a line or a frame that is not whole takes up.
const ROOM: usize = 16 << 10;

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
    /// Ready once the process has ended: then only what is in the pipe already is read.
    pub(super) ended: oneshot::Receiver<()>,
}

impl Reader {
    /// Reads to the end: until nobody can write to the pipe any more, or until nothing is in it after the process has ended.
    ///
    /// # Errors
    /// Nothing more can be made of what comes.
    pub(super) async fn run<S: Split>(mut self, mut split: S, mut to: impl Take<S::Item>) -> Result<(), StreamError> {
        let mut buffer = BytesMut::with_capacity(ROOM);
        let mut has_ended = false;
        loop {
            buffer.reserve(ROOM);
            let read = if has_ended { self.read_rest(&mut buffer) } else { self.read(&mut buffer).await };
            let at_end = match read {
                Ok(Read::Some) => {
                    self.watched.heard();
                    false
                }
                Ok(Read::End) => true,
                Ok(Read::ProcessEnded) => {
                    has_ended = true;
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

    /// Reads what is there. It asks the operating system, since Tokio may not have heard yet that something is.
    fn read_rest(&self, buffer: &mut BytesMut) -> io::Result<Read> {
        let mut bytes = [0; ROOM];
        loop {
            match rustix::io::read(&self.pipe, &mut bytes) {
                Ok(count) => {
                    buffer.extend_from_slice(&bytes[..count]);
                    return Ok(Read::of(count));
                }
                Err(rustix::io::Errno::INTR) => {}
                // Somebody else has the other end still; what it writes is not the process's.
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
