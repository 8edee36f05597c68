//! The slot through which an answer travels: one allocation an ask.
//!
//! The asker makes it with its waker already inside, so that waiting takes no lock; the answer, or the reason why there is none, is put in once.

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use super::current;
use super::deadline::Deadline;
use super::environment::Environment;

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
/// unwinds, with [`AskError::CutOff`](crate::AskError::CutOff) where it is cut off, else with [`AskError::NoReply`](crate::AskError::NoReply).
#[must_use = "dropping it fails the asker; call `send`"]
pub struct ReplyTo<R>(Option<Arc<Slot<R>>>);

/// Where the answer is put.
pub(crate) struct Slot<R> {
    deadline: Deadline,
    /// The address of the environment whose sweeps the deadline counts. The asker keeps it alive.
    environment: usize,
    /// Looked at before a handler begins.
    asker_has_gone: AtomicBool,
    state: Mutex<State<R>>,
}

enum State<R> {
    Waiting(Waker),
    Answered(R),
    Unanswered(NoAnswer),
    /// The deadline has passed, the asker has gone, or the answer was taken: whatever comes is dropped.
    Over,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    Stopped,
    Panicked,
    NoReply,
    Dropped,
    TimedOut,
    CutOff,
    Overran(Duration),
}

impl<R> ReplyTo<R> {
    /// The reply of a message that was sent and not asked: answers go nowhere.
    pub const fn nobody() -> Self {
        Self(None)
    }

    /// Answers. Where nobody asked, or the asker has gone, the answer is dropped.
    #[inline]
    pub fn send(mut self, answer: R) {
        if let Some(slot) = self.0.take() {
            slot.put(if slot.is_late() { State::Unanswered(NoAnswer::TimedOut) } else { State::Answered(answer) });
        }
    }

    /// Whether somebody still waits for the answer: false for a message that was sent, and once the asker has given up.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.0.as_ref().is_some_and(|slot| !slot.asker_has_gone.load(Ordering::Acquire))
    }

    /// The asker's deadline, or that it has gone or will find that its time is over; `None` where nobody asked.
    #[inline]
    pub(crate) fn call(&self, sweeps: impl FnOnce() -> u32) -> Option<Result<Deadline, AskerGone>> {
        let slot = self.0.as_ref()?;
        let has_gone = slot.asker_has_gone.load(Ordering::Acquire)
            || slot.deadline.is_coarse() && slot.deadline.is_swept(sweeps());
        Some(if has_gone { Err(AskerGone) } else { Ok(slot.deadline) })
    }
}

/// Nobody waits for the answer any more.
pub(crate) struct AskerGone;

impl<R> Slot<R> {
    /// Makes a slot and gives its two ends.
    pub(crate) fn pair(deadline: Deadline, shared: &Arc<Environment>, asker: Waker) -> (ReplyTo<R>, Asked<R>) {
        let state = Mutex::new(State::Waiting(asker));
        let environment = Arc::as_ptr(shared).addr();
        let slot = Arc::new(Self { deadline, environment, asker_has_gone: AtomicBool::new(false), state });
        (ReplyTo(Some(Arc::clone(&slot))), Asked { slot: Some(slot) })
    }

    /// As [`pair`](Self::pair), for an answer that is waited for without a deadline and by nobody yet.
    #[cfg(feature = "session")]
    pub(crate) fn promise() -> (ReplyTo<R>, Asked<R>) {
        let state = Mutex::new(State::Waiting(Waker::noop().clone()));
        let slot = Self { deadline: Deadline::NEVER, environment: 0, asker_has_gone: AtomicBool::new(false), state };
        let slot = Arc::new(slot);
        (ReplyTo(Some(Arc::clone(&slot))), Asked { slot: Some(slot) })
    }

    /// Whether the sweeps have ended it, though its asker may not have seen that yet: of a chain of asks with one deadline none is to win by a hair.
    #[inline]
    fn is_late(&self) -> bool {
        self.deadline.is_coarse()
            && current::with(|module| {
                let environment = module.map(|module| &module.core().environment);
                environment.is_some_and(|environment| {
                    Arc::as_ptr(environment).addr() == self.environment && self.deadline.is_swept(environment.sweeps())
                })
            })
    }

    /// There will be no answer.
    #[cold]
    fn abandon(self: Arc<Self>) {
        let why = current::discarding().unwrap_or_else(|| match () {
            () if thread::panicking() => NoAnswer::Panicked,
            () if self.is_late() => NoAnswer::TimedOut,
            () => NoAnswer::NoReply,
        });
        self.put(State::Unanswered(why));
    }

    #[inline]
    fn put(&self, answer: State<R>) {
        let mut state = self.state.lock();
        if !matches!(*state, State::Waiting(_)) {
            drop(state);
            return;
        }
        let before = mem::replace(&mut *state, answer);
        drop(state);
        if let State::Waiting(asker) = before {
            asker.wake();
        }
    }
}

/// The asker's end of the slot.
pub(crate) struct Asked<R> {
    slot: Option<Arc<Slot<R>>>,
}

impl<R: Send + 'static> Asked<R> {
    /// Whether the answer has been given.
    #[cfg(feature = "session")]
    pub(crate) fn is_spent(&self) -> bool {
        self.slot.is_none()
    }

    /// The answer, once.
    pub(crate) fn poll(&mut self, asker: &Waker) -> Poll<Result<R, NoAnswer>> {
        let Some(slot) = &self.slot else { return Poll::Pending };
        let mut state = slot.state.lock();
        if let State::Waiting(waker) = &mut *state {
            let outdated = (!waker.will_wake(asker)).then(|| mem::replace(waker, asker.clone()));
            drop(state);
            drop(outdated);
            return Poll::Pending;
        }
        let answer = mem::replace(&mut *state, State::Over);
        drop(state);
        self.slot = None;
        match answer {
            State::Answered(reply) => Poll::Ready(Ok(reply)),
            State::Unanswered(why) => Poll::Ready(Err(why)),
            State::Waiting(_) | State::Over => Poll::Pending,
        }
    }
}

impl<R> Drop for Asked<R> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            slot.asker_has_gone.store(true, Ordering::Release);
            let before = mem::replace(&mut *slot.state.lock(), State::Over);
            drop(before);
        }
    }
}

impl<R> Drop for ReplyTo<R> {
    #[inline]
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.abandon();
        }
    }
}

impl<R> fmt::Debug for ReplyTo<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "ReplyTo(asker)" } else { "ReplyTo(nobody)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_takes_eight_bytes_of_a_message() {
        assert_eq!(size_of::<ReplyTo<[u64; 9]>>(), 8);
    }
}
