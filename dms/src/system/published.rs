//! An event that has been published, for those who want to know what became of it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::Timeout;
use crate::module::EventCounts;
use crate::module::cell::AnyCell;
use crate::module::current;
use crate::module::deadline::{Deadline, Patience};
use crate::module::deadlock::{EdgeGuard, On};
use crate::module::environment::Environment;
use crate::module::tally::AnyLetter;

/// An event that has been delivered. Let it go, or await it to learn what its subscribers made of it.
///
/// ```
/// use dms::prelude::*;
///
/// struct Sold { item: u32 }
///
/// #[module]
/// struct Stock { left: u32 }
///
/// #[module]
/// impl Stock {
///     #[event]
///     fn on_sold(&mut self, sold: &Sold) -> Result<(), ModuleError> {
///         self.left = self.left.checked_sub(1).ok_or("nothing is left")?;
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// system.register_module(Stock { left: 1 }).await?;
/// let counts = system.publish(Sold { item: 7 }).await;
/// assert_eq!((counts.handled, counts.failed), (1, 0));
/// # system.shutdown().await;
/// # Ok(()) }
/// ```
///
/// It waits for every subscriber, but not for ever: what has not been answered within the system's ask timeout (5 seconds where nothing else was said),
/// or, inside a handler that was itself asked, by the time its caller gives up, is counted as [`unanswered`](EventCounts::unanswered).
///
/// Inside a handler or hook it does not wait for the module's own handler of the event, which runs afterwards, nor for a subscriber that waits, directly or
/// round a cycle, for the module that publishes: they are unanswered. A subscriber that asks the publisher meanwhile gets
/// [`AskError::WouldDeadlock`](crate::AskError::WouldDeadlock). A loop of the module's own (`#[run]`) may look after its inbox while it waits, so nothing is left out there.
///
/// # Cancel safety
/// Cancel safe: the event has been delivered, whether or not this is awaited. Polled again after it was ready, it says how it is by then.
pub struct Published {
    /// `None` where nobody subscribed.
    letter: Option<Arc<dyn AnyLetter>>,
    environment: Option<Arc<Environment>>,
    timeout: Timeout,
    /// Who got it, where the publisher is a handler.
    targets: Vec<Target>,
    edges: Vec<EdgeGuard>,
    /// `None` until it has been polled.
    wait: Option<Wait>,
}

/// A module that got the event.
pub(super) struct Target {
    pub(super) module: Arc<dyn AnyCell>,
    /// Where the event stands in its mailbox.
    pub(super) position: u64,
    /// Where the module stands in the tally.
    pub(super) place: u32,
}

/// For how long it waits.
enum Wait {
    UntilAnswered,
    Until(Pin<Box<Sleep>>),
}

impl Published {
    pub(super) fn new(letter: Arc<dyn AnyLetter>, environment: Arc<Environment>, targets: Vec<Target>) -> Self {
        Self { letter: Some(letter), environment: Some(environment), targets, ..Self::nobody() }
    }

    /// An event that nobody got.
    pub(super) fn nobody() -> Self {
        Self {
            letter: None,
            environment: None,
            timeout: Timeout::Inherit,
            targets: Vec::new(),
            edges: Vec::new(),
            wait: None,
        }
    }

    /// Waits for at most `timeout`. Inside a handler that was itself asked, never longer than its caller.
    #[must_use = "the event has been delivered: await this to learn what became of it"]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Timeout::After(timeout);
        self
    }

    /// Waits for as long as it takes. Inside a handler that was itself asked, the caller's deadline still counts.
    #[must_use = "the event has been delivered: await this to learn what became of it"]
    pub fn no_timeout(mut self) -> Self {
        self.timeout = Timeout::Never;
        self
    }

    /// How many subscribers the event had.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        let EventCounts { handled, ignored, failed, lagged, unanswered } = self.counts();
        handled + ignored + failed + lagged + unanswered
    }

    /// The counts as they are now.
    #[must_use]
    pub fn counts(&self) -> EventCounts {
        self.letter.as_ref().map(|letter| letter.tally().counts()).unwrap_or_default()
    }

    /// Notes for whom the running handler waits; who waits for it is not waited for.
    fn note_edges(&mut self, letter: &dyn AnyLetter) {
        let Some(publisher) = current::waiting() else { return };
        for Target { module, position, place } in self.targets.drain(..) {
            match EdgeGuard::new(Arc::clone(&publisher), module, On::Reply(position)) {
                Ok(edge) => self.edges.push(edge),
                Err(_) => letter.tally().leave_out(place),
            }
        }
    }

    fn wait(&self, environment: &Arc<Environment>) -> Wait {
        let patience = match self.timeout {
            Timeout::Inherit => environment.patience.after(),
            Timeout::After(after) => Some(after),
            Timeout::Never => None,
        };
        let inherited =
            current::with(|current| current.map_or(Deadline::NEVER, |current| current.core().deadline_in(environment)));
        let (_, after) = Deadline::of_call(Patience::of_call(patience), inherited, environment.sweeps());
        match Instant::now().checked_add(after) {
            None => Wait::UntilAnswered,
            Some(at) => {
                // It may be polled outside a runtime.
                let _entered = environment.runtime().map(tokio::runtime::Handle::enter);
                Wait::Until(Box::pin(sleep_until(at)))
            }
        }
    }
}

impl Future for Published {
    type Output = EventCounts;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<EventCounts> {
        let this = &mut *self;
        let (Some(letter), Some(environment)) = (this.letter.clone(), this.environment.clone()) else {
            return Poll::Ready(EventCounts::default());
        };
        if this.wait.is_none() {
            this.note_edges(&*letter);
            this.wait = Some(this.wait(&environment));
        }
        let mut is_over = letter.tally().poll(cx.waker()).is_ready();
        if !is_over && let Some(Wait::Until(sleep)) = &mut this.wait {
            is_over = sleep.as_mut().poll(cx).is_ready();
        }
        if !is_over {
            return Poll::Pending;
        }
        this.edges.clear();
        Poll::Ready(letter.tally().counts())
    }
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published").field("counts", &self.counts()).finish_non_exhaustive()
    }
}
