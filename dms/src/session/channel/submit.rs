//! Requests to a session, each with a reply.

use std::fmt;

use super::error::{PromiseError, SubmitError};
use super::event::{EventSender, EventSource, event};
use super::promise::promise;
use crate::module::ReplyTo;

/// Where requests come out, each with the [`ReplyTo`] that it is to be answered to.
pub type SubmitSource<Q, R> = EventSource<(Q, ReplyTo<R>)>;

/// Makes a channel of requests `Q` that are answered with an `R`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (handle, mut source) = dms::session::submit::<u64, u64>();
/// let session = async {
///     while let Some((number, reply)) = source.recv().await {
///         reply.send(number * 2);
///     }
/// };
/// let client = async move { handle.submit(21).await };
/// assert_eq!(tokio::join!(session, client).1?, 42);
/// # Ok(()) }
/// ```
#[must_use]
pub fn submit<Q, R>() -> (SubmitHandle<Q, R>, SubmitSource<Q, R>) {
    let (sender, source) = event();
    (SubmitHandle(sender), source)
}

/// Where requests are put. A clone submits to the same source; an [`EventSender`] with a bound turns into one.
pub struct SubmitHandle<Q, R>(EventSender<(Q, ReplyTo<R>)>);

impl<Q, R: Send + 'static> SubmitHandle<Q, R> {
    /// Submits `request` and waits for the reply, for as long as it takes.
    ///
    /// # Errors
    /// The source had gone, and the request comes back; or it was taken, or waited, and will not be answered.
    ///
    /// # Cancel safety
    /// Dropped, the request may have been taken or not; the reply is dropped.
    pub async fn submit(&self, request: Q) -> Result<R, SubmitError<Q>> {
        let (reply, answer) = promise();
        if let Err(closed) = self.0.send((request, reply)).await {
            return Err(SubmitError::Closed(closed.0.0));
        }
        answer.await.map_err(|error| match error {
            PromiseError::Dropped => SubmitError::Dropped,
            PromiseError::Panicked => SubmitError::Panicked,
        })
    }
}

impl<Q, R> From<EventSender<(Q, ReplyTo<R>)>> for SubmitHandle<Q, R> {
    fn from(sender: EventSender<(Q, ReplyTo<R>)>) -> Self {
        Self(sender)
    }
}

impl<Q, R> Clone for SubmitHandle<Q, R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q, R> fmt::Debug for SubmitHandle<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmitHandle").field("is_closed", &self.0.is_closed()).finish_non_exhaustive()
    }
}
