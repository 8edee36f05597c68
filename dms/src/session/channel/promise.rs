//! A promise: one value, to come.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::error::PromiseError;
use crate::module::ReplyTo;
use crate::module::polled_again::polled_again;
use crate::module::reply::{Asked, NoAnswer, Slot};

/// Makes a promise: what is sent to the [`ReplyTo`] comes out of the [`Promise`].
///
/// It is the [`ReplyTo`] of every ask: it may as well travel in a module's message.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use dms::session::{PromiseError, promise};
///
/// let (reply, promise_of_seven) = promise();
/// reply.send(7);
/// assert_eq!(promise_of_seven.await?, 7);
///
/// let (reply, broken) = promise::<u64>();
/// drop(reply);
/// assert_eq!(broken.await, Err(PromiseError::Dropped));
/// # Ok(()) }
/// ```
pub fn promise<R>() -> (ReplyTo<R>, Promise<R>) {
    let (reply, asked) = Slot::promise();
    (reply, Promise(asked))
}

/// A value to come. Awaited, it fails at once when its [`ReplyTo`] is dropped.
///
/// # Cancel safety
/// Awaiting it by reference is cancel safe. Dropped, the value is dropped when it comes, and [`ReplyTo::is_awaited`] says so.
///
/// # Panics
/// When it is polled again after it was ready: in a `select!` in a loop, have an `if` disable its branch from then on.
#[must_use = "futures do nothing unless polled"]
pub struct Promise<R>(Asked<R>);

impl<R: Send + 'static> Future for Promise<R> {
    type Output = Result<R, PromiseError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.0.is_spent() {
            polled_again("Promise");
        }
        self.0.poll(cx.waker()).map_err(|why| match why {
            NoAnswer::Panicked => PromiseError::Panicked,
            _ => PromiseError::Dropped,
        })
    }
}

impl<R> fmt::Debug for Promise<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").finish_non_exhaustive()
    }
}
