//! Events: many senders, one loop that takes what comes, in the order in which it came.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, error};

use super::error::{Closed, TrySendError};

/// Makes a channel of events that holds as many as come.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (events, mut source) = dms::session::event();
/// events.send("first").await?;
/// drop(events);
/// assert_eq!(source.recv().await, Some("first"));
/// assert_eq!(source.recv().await, None);
/// # Ok(()) }
/// ```
#[must_use]
pub fn event<E>() -> (EventSender<E>, EventSource<E>) {
    event_within(Semaphore::MAX_PERMITS)
}

/// As [`event`], for at most `capacity` events that wait: who sends one more waits for room.
///
/// For what comes from outside, so that no flood fills the memory. Two sessions that wait for room at each other wait for ever.
///
/// # Panics
/// With a capacity of 0, or above [`Semaphore::MAX_PERMITS`].
#[must_use]
pub fn event_within<E>(capacity: usize) -> (EventSender<E>, EventSource<E>) {
    let (sender, receiver) = mpsc::channel(capacity);
    (EventSender(sender), EventSource(receiver))
}

/// Where events are put. A clone sends to the same source.
pub struct EventSender<E>(mpsc::Sender<E>);

impl<E> EventSender<E> {
    /// Sends `event`; waits for room where the channel has a bound and is full.
    ///
    /// # Errors
    /// The source has gone; the event comes back.
    ///
    /// # Cancel safety
    /// Dropped while it waits for room, the event is not sent, and lost.
    pub async fn send(&self, event: E) -> Result<(), Closed<E>> {
        self.0.send(event).await.map_err(|error| Closed(error.0))
    }

    /// Sends `event` without waiting. Without a bound there is always room.
    ///
    /// # Errors
    /// The source has gone, or the channel is full; the event comes back.
    pub fn try_send(&self, event: E) -> Result<(), TrySendError<E>> {
        self.0.try_send(event).map_err(|error| match error {
            error::TrySendError::Full(event) => TrySendError::Full(event),
            error::TrySendError::Closed(event) => TrySendError::Closed(event),
        })
    }

    /// Waits for room for one event, and keeps it.
    pub(in crate::session) async fn reserve(&self) -> Result<mpsc::Permit<'_, E>, Closed<()>> {
        self.0.reserve().await.map_err(|error::SendError(())| Closed(()))
    }

    /// Waits until the source has gone.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn closed(&self) {
        self.0.closed().await;
    }

    /// Whether the source has gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl<E> Clone for EventSender<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E> fmt::Debug for EventSender<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSender").field("is_closed", &self.is_closed()).finish_non_exhaustive()
    }
}

/// Where events come out: also a [`Stream`], for [`Context::attach`](crate::Context::attach).
pub struct EventSource<E>(mpsc::Receiver<E>);

impl<E> EventSource<E> {
    /// The next event; `None` once all senders have gone, or it was closed, and none is left.
    ///
    /// # Cancel safety
    /// Cancel safe: dropped, no event is lost.
    pub async fn recv(&mut self) -> Option<E> {
        self.0.recv().await
    }

    /// The next event if one waits.
    pub fn try_recv(&mut self) -> Option<E> {
        self.0.try_recv().ok()
    }

    /// Refuses events from now on; those that wait can still be taken.
    pub fn close(&mut self) {
        self.0.close();
    }

    /// How many events wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no event waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<E> Stream for EventSource<E> {
    type Item = E;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<E>> {
        self.0.poll_recv(cx)
    }
}

impl<E> fmt::Debug for EventSource<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSource").field("waiting", &self.len()).finish_non_exhaustive()
    }
}
