//! Requests to a session, each with a stream of replies.

use std::fmt;

use super::error::Closed;
use super::event::{EventSender, EventSource, event};

/// Where requests come out, each with where its replies are to be put. Dropping that ends the replies.
pub type SubscribeSource<Q, E> = EventSource<(Q, EventSender<E>)>;

/// Makes a channel of requests `Q` that are answered with any number of `E`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (handle, mut source) = dms::session::subscribe::<u64, u64>();
/// let session = async {
///     while let Some((limit, replies)) = source.recv().await {
///         for number in 0..limit {
///             replies.send(number).await?;
///         }
///     }
///     Ok::<_, dms::session::Closed<u64>>(())
/// };
/// let client = async move {
///     let mut replies = handle.subscribe(2).await.unwrap();
///     drop(handle);
///     (replies.recv().await, replies.recv().await, replies.recv().await)
/// };
/// let (session, received) = tokio::join!(session, client);
/// session?;
/// assert_eq!(received, (Some(0), Some(1), None));
/// # Ok(()) }
/// ```
#[must_use]
pub fn subscribe<Q, E>() -> (SubscribeHandle<Q, E>, SubscribeSource<Q, E>) {
    let (sender, source) = event();
    (SubscribeHandle(sender), source)
}

/// Where requests are put. A clone subscribes at the same source; an [`EventSender`] with a bound turns into one.
pub struct SubscribeHandle<Q, E>(EventSender<(Q, EventSender<E>)>);

impl<Q, E> SubscribeHandle<Q, E> {
    /// Hands `request` over, and gives where the replies come out. They end with `None`.
    ///
    /// # Errors
    /// The source has gone; the request comes back.
    ///
    /// # Cancel safety
    /// Dropped, the request may have been handed over or not; nobody takes the replies.
    pub async fn subscribe(&self, request: Q) -> Result<EventSource<E>, Closed<Q>> {
        let (sender, replies) = event();
        match self.0.send((request, sender)).await {
            Ok(()) => Ok(replies),
            Err(closed) => Err(Closed(closed.0.0)),
        }
    }
}

impl<Q, E> From<EventSender<(Q, EventSender<E>)>> for SubscribeHandle<Q, E> {
    fn from(sender: EventSender<(Q, EventSender<E>)>) -> Self {
        Self(sender)
    }
}

impl<Q, E> Clone for SubscribeHandle<Q, E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q, E> fmt::Debug for SubscribeHandle<Q, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscribeHandle").field("is_closed", &self.0.is_closed()).finish_non_exhaustive()
    }
}
