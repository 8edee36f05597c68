//! The other end of an ask.

use std::fmt;
use std::mem;
use std::thread;

use tokio::sync::oneshot;

use super::current;
use super::deadline::Deadline;

/// The answer owed to an asker; nobody's when the message was sent and not asked.
///
/// A handler may take it as an argument and answer later, from another task:
///
/// ```
/// use dms::prelude::*;
///
/// #[module]
/// struct Doubler;
///
/// #[module]
/// impl Doubler {
///     #[handler(Double)]
///     async fn double(&mut self, number: u64, reply: ReplyTo<u64>, ctx: &mut Context<Self>) {
///         ctx.spawn("double", async move { reply.send(number * 2) });
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// let doubler = system.register_module(Doubler).await?;
/// assert_eq!(doubler.double(21).await?, 42);
/// # system.shutdown().await;
/// # Ok(())
/// # }
/// ```
///
/// Dropping it without an answer fails the ask at once: with [`AskError::Panicked`](crate::AskError::Panicked) while the handler
/// unwinds, else with [`AskError::NoReply`](crate::AskError::NoReply).
#[must_use = "dropping it fails the asker; call `send`"]
pub struct ReplyTo<R>(To<R>);

enum To<R> {
    Nobody,
    Asker { sender: oneshot::Sender<Answer<R>>, deadline: Deadline },
}

/// What travels back to the asker.
pub(crate) type Answer<R> = Result<R, NoAnswer>;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    Stopped,
    Panicked,
    NoReply,
    Dropped,
}

impl<R> ReplyTo<R> {
    /// The reply of a message that was sent and not asked: answers go nowhere.
    pub const fn nobody() -> Self {
        Self(To::Nobody)
    }

    pub(crate) fn asker(sender: oneshot::Sender<Answer<R>>, deadline: Deadline) -> Self {
        Self(To::Asker { sender, deadline })
    }

    /// Answers. Where nobody asked, or the asker has gone, the answer is dropped.
    pub fn send(mut self, answer: R) {
        if let To::Asker { sender, .. } = mem::replace(&mut self.0, To::Nobody) {
            // An asker that has gone wants no answer: that is its right, and no error.
            let _ = sender.send(Ok(answer));
        }
    }

    /// Whether somebody still waits for the answer: false for a message that was sent, and once the asker has given up.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        matches!(&self.0, To::Asker { sender, .. } if !sender.is_closed())
    }

    /// The asker's deadline, or that it has gone; `None` where nobody asked.
    pub(crate) fn call(&self) -> Option<Result<Deadline, AskerGone>> {
        match &self.0 {
            To::Nobody => None,
            To::Asker { sender, .. } if sender.is_closed() => Some(Err(AskerGone)),
            To::Asker { deadline, .. } => Some(Ok(*deadline)),
        }
    }
}

/// Nobody waits for the answer any more.
pub(crate) struct AskerGone;

impl<R> Drop for ReplyTo<R> {
    fn drop(&mut self) {
        if let To::Asker { sender, .. } = mem::replace(&mut self.0, To::Nobody) {
            let why = current::discarding()
                .unwrap_or_else(|| if thread::panicking() { NoAnswer::Panicked } else { NoAnswer::NoReply });
            // An asker that has gone needs no reason.
            let _ = sender.send(Err(why));
        }
    }
}

impl<R> fmt::Debug for ReplyTo<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            To::Nobody => "ReplyTo(nobody)",
            To::Asker { .. } => "ReplyTo(asker)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_takes_sixteen_bytes_of_a_message() {
        assert_eq!(size_of::<ReplyTo<[u64; 9]>>(), 16);
    }
}
