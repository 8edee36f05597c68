//! A handler with a deadline: it ends in time, or is dropped where it is and fails its module.

use std::future::Future;
use std::panic;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::current;
use super::cut::Cause;
use super::lifecycle::Failure;
use super::reply::NoAnswer;

pin_project! {
    /// What [`within`] gives.
    pub struct Within<F, H> {
        #[pin]
        handler: Option<F>,
        // Made when the handler first waits, which most never do.
        #[pin]
        timer: Option<Sleep>,
        name: &'static str,
        deadline: Duration,
        begun: Option<Instant>,
        held: Option<H>,
    }
}

/// Runs the handler `name`, which has so long from its first poll, and gives `held` back with what it returns.
///
/// One that takes longer is dropped, and what is held with it, so that the asker is told; then this unwinds with the module's failure. A handler that does not let go
/// of its thread cannot be dropped: when it comes back too late, the same happens to what it returned.
pub fn within<F: Future, H>(deadline: Duration, name: &'static str, held: H, handler: F) -> Within<F, H> {
    Within { handler: Some(handler), timer: None, name, deadline, begun: None, held: Some(held) }
}

impl<F: Future, H> Future for Within<F, H> {
    type Output = (F::Output, H);

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let begun = *this.begun.get_or_insert_with(Instant::now);
        let Some(handler) = this.handler.as_mut().as_pin_mut() else { return Poll::Pending };
        let output = match handler.poll(cx) {
            Poll::Ready(output) if begun.elapsed() <= *this.deadline => {
                return this.held.take().map_or(Poll::Pending, |held| Poll::Ready((output, held)));
            }
            Poll::Ready(output) => Some(output),
            Poll::Pending => {
                if this.timer.is_none() {
                    // One that does not fit the clock never comes.
                    let Some(at) = begun.checked_add(*this.deadline) else { return Poll::Pending };
                    this.timer.set(Some(sleep_until(at)));
                }
                let Some(timer) = this.timer.as_pin_mut() else { return Poll::Pending };
                ready!(timer.poll(cx));
                None
            }
        };
        let (handler, deadline) = (*this.name, *this.deadline);
        let elapsed = begun.elapsed();
        let held = this.held.take();
        current::drop_with(NoAnswer::Overran(deadline), "a handler that overran its deadline", move || {
            this.handler.set(None);
            drop((output, held));
        });
        // Unlike a panic it is no bug at this place: the hook that prints panics is not called.
        panic::resume_unwind(Box::new(Cause(Failure::Overrun { handler, elapsed, deadline })))
    }
}
