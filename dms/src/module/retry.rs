//! A message that is handled again where its handler failed: what is kept of it while the handler runs.

use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;

use super::context::Context;
use super::current;
use super::handler::Module;
use super::lifecycle::Failure;
use super::reply::NoAnswer;

/// What a module keeps of the message in hand, where its handler has a `retry`; shared with the [`Kept`] of the handler that runs.
pub(crate) struct Slot<E>(Mutex<State<E>>);

struct State<E> {
    /// The message once more, with the reply owed to its asker.
    message: Option<E>,
    /// Where the message stands in the queue.
    position: u64,
    /// How often it may be handled again.
    left: u32,
    /// What its asker is told where it is not.
    why: NoAnswer,
}

/// The message of a handler that runs, in case it fails.
///
/// Dropped while the handler unwinds it leaves the message for the next incarnation. Dropped otherwise, by a loop of the module's own or because the module is cut off,
/// it drops the message.
#[must_use = "the reply is in it"]
pub struct Kept<E>(Arc<Slot<E>>);

/// Keeps a message while its handler runs, to be handled again so often.
pub fn keep<T: Module>(ctx: &mut Context<T>, times: u32, message: T::Message) -> Kept<T::Message> {
    // The message in hand has begun already.
    let position = ctx.cell.core.begun();
    let slot = ctx.retry.get_or_insert_with(|| {
        let state = State { message: None, position: 0, left: 0, why: NoAnswer::Panicked };
        Arc::new(Slot(Mutex::new(state)))
    });
    let mut state = slot.0.lock();
    if state.position != position {
        state.position = position;
        state.left = times;
    }
    state.message = Some(message);
    drop(state);
    Kept(Arc::clone(slot))
}

impl<E> Kept<E> {
    /// The message, which was handled.
    pub fn take(self) -> Option<E> {
        self.0.0.lock().message.take()
    }
}

impl<E> Drop for Kept<E> {
    fn drop(&mut self) {
        if !thread::panicking() {
            let message = self.0.0.lock().message.take();
            drop(message);
        }
    }
}

impl<E> Slot<E> {
    /// Notes what the handler failed of.
    pub(crate) fn note(&self, failure: &Failure) {
        self.0.lock().why = match failure {
            Failure::Overrun { deadline, .. } => NoAnswer::Overran(*deadline),
            _ => NoAnswer::Panicked,
        };
    }

    /// The message of a handler that failed, if it is to be handled once more; else its asker is told.
    pub(crate) fn again(&self) -> Option<E> {
        let mut state = self.0.lock();
        if let Some(left) = state.left.checked_sub(1) {
            state.left = left;
            return state.message.take();
        }
        drop(state);
        self.give_up();
        None
    }

    /// Drops the message, and tells its asker why.
    pub(crate) fn give_up(&self) {
        let mut state = self.0.lock();
        let (message, why) = (state.message.take(), state.why);
        drop(state);
        if let Some(message) = message {
            current::discard(why, message);
        }
    }
}

impl<E> Drop for Slot<E> {
    fn drop(&mut self) {
        self.give_up();
    }
}
