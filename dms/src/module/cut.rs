//! Code of a module that is dropped where it is, because its incarnation is ended by force; and what is known of a failure when code unwinds.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::task::Poll;

use super::cell::{Core, control};
use super::current;
use super::lifecycle::Failure;
use super::reply::NoAnswer;
use super::task::Panic;
use super::worker::panic_text;

/// What code unwinds with that did not panic: why it does not go on.
pub(crate) struct Cause(pub(crate) Failure);

/// What a module fails of whose code unwound in `place`.
pub(crate) fn failure_of(place: &str, panic: &(dyn Any + Send)) -> Failure {
    match panic.downcast_ref::<Cause>() {
        Some(Cause(failure)) => failure.clone(),
        None => Failure::Panic { place: place.to_owned(), text: panic_text(panic) },
    }
}

/// As [`contain`](super::worker::contain), of code that is dropped where it is once its module is [cut off](super::cell::AnyCell::cut_off). What it did before
/// is unknown then, as after a panic, and as one it is given.
///
/// The bit is looked at once a poll. Whoever sets it wakes the module's task; code that has the thread just then is dropped when it gives it back, or has ended.
pub(super) fn contain_unless_cut<F: Future>(
    core: &Core,
    mut hook: Pin<&mut Option<F>>,
) -> impl Future<Output = Result<F::Output, Panic>> {
    poll_fn(move |cx| {
        if core.has(control::CUT) {
            return Poll::Ready(Err(cut(core, hook.as_mut())));
        }
        let Some(running) = hook.as_mut().as_pin_mut() else { return Poll::Pending };
        match panic::catch_unwind(AssertUnwindSafe(|| running.poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(_)) if core.has(control::CUT) => Poll::Ready(Err(cut(core, hook.as_mut()))),
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
}

/// Drops the code, and tells those who wait for its answer.
#[cold]
fn cut<F>(core: &Core, mut hook: Pin<&mut Option<F>>) -> Panic {
    current::drop_with(NoAnswer::CutOff, "a handler that was cut off", || hook.set(None));
    // Whoever cuts a module off says why, and that before.
    Box::new(Cause(core.failure().unwrap_or(Failure::Killed)))
}
