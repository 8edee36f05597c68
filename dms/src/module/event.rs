//! An event as its handler meets it: one delivery, and the answer to it.

use std::fmt;
use std::sync::Arc;
use std::thread;

use super::current;
use super::error::ModuleError;
use super::subscription::Subscription;
use super::tally::{Letter, Outcome};

/// What a handler made of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventResponse {
    /// The module did something about it.
    Handled,
    /// The event is of no concern to the module.
    Ignored,
}

/// What an event handler may return: nothing, which is [`EventResponse::Handled`], an [`EventResponse`], or a `Result` of either.
#[diagnostic::on_unimplemented(
    message = "an event handler cannot return `{Self}`",
    label = "not `()`, `EventResponse` or a `Result` of either",
    note = "return nothing, `EventResponse`, or `Result<EventResponse, ModuleError>` (any error turns into a `ModuleError` with `?`)"
)]
pub trait EventOutput {
    /// The response, or why there is none.
    ///
    /// # Errors
    /// The handler's own.
    fn into_response(self) -> Result<EventResponse, ModuleError>;
}

impl EventOutput for () {
    fn into_response(self) -> Result<EventResponse, ModuleError> {
        Ok(EventResponse::Handled)
    }
}

impl EventOutput for EventResponse {
    fn into_response(self) -> Result<EventResponse, ModuleError> {
        Ok(self)
    }
}

impl<E: Into<ModuleError>> EventOutput for Result<(), E> {
    fn into_response(self) -> Result<EventResponse, ModuleError> {
        self.map(|()| EventResponse::Handled).map_err(Into::into)
    }
}

impl<E: Into<ModuleError>> EventOutput for Result<EventResponse, E> {
    fn into_response(self) -> Result<EventResponse, ModuleError> {
        self.map_err(Into::into)
    }
}

/// An event in the mailbox of one of its subscribers: what the enum of messages holds.
///
/// `#[event]` takes the event out and answers. Who matches on the enum in a loop of its own calls [`event`](Self::event) and
/// [`answer`](Self::answer); a delivery that is let go counts as ignored. A clone of it counts nowhere, whatever becomes of it.
///
/// Without `#[module]` on the impl, a module handles deliveries as any other message, and subscribes itself:
///
/// ```
/// use dms::event::EventDelivery;
/// use dms::prelude::*;
///
/// struct ConfigRead { lines: usize }
///
/// #[module]
/// struct Watcher;
///
/// impl Module for Watcher {
///     type Message = DynMessage<Self>;
///
///     async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
///         ctx.subscribe::<ConfigRead>();
///         Ok(())
///     }
/// }
///
/// impl Handler<EventDelivery<ConfigRead>> for Watcher {
///     type Reply = ();
///     async fn handle(&mut self, delivery: EventDelivery<ConfigRead>, _: &mut Context<Self>) {
///         let response = if delivery.event().lines > 0 { EventResponse::Handled } else { EventResponse::Ignored };
///         delivery.answer(response);
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// system.register_module(Watcher).await?;
/// let counts = system.publish(ConfigRead { lines: 3 }).await;
/// assert_eq!(counts.handled, 1);
/// # system.shutdown().await;
/// # Ok(()) }
/// ```
#[must_use = "a delivery that is let go counts as ignored; call `answer`"]
pub struct EventDelivery<E> {
    letter: Arc<Letter<E>>,
    subscription: Arc<Subscription>,
    /// Which of the event's subscribers this is.
    place: u32,
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    Waiting,
    /// The handler runs, and what is dropped from here on was cut off.
    Begun,
    Over(Outcome),
    /// It is a clone, and the original counts.
    Cloned,
}

impl<E> EventDelivery<E> {
    pub(super) fn new(letter: Arc<Letter<E>>, subscription: Arc<Subscription>, place: u32) -> Self {
        Self { letter, subscription, place, stage: Stage::Waiting }
    }

    /// The event, which all subscribers share.
    #[must_use]
    pub fn event(&self) -> &E {
        &self.letter.event
    }

    /// Says what the module made of the event; an error is logged, and counted as a failure.
    pub fn answer(mut self, output: impl EventOutput) {
        let outcome = match output.into_response() {
            Ok(EventResponse::Handled) => Outcome::Handled,
            Ok(EventResponse::Ignored) => Outcome::Ignored,
            Err(error) => {
                let (module, handler) = (self.subscription.name(), self.subscription.handler);
                tracing::warn!(module, handler, "an event handler failed: {}", error.chain());
                Outcome::Failed
            }
        };
        self.enter(Stage::Over(outcome));
    }

    pub(super) fn begin(&mut self) {
        self.enter(Stage::Begun);
    }

    fn enter(&mut self, stage: Stage) {
        if !matches!(self.stage, Stage::Cloned) {
            self.stage = stage;
        }
    }
}

impl<E> Drop for EventDelivery<E> {
    fn drop(&mut self) {
        let outcome = match self.stage {
            Stage::Over(outcome) => outcome,
            Stage::Begun => Outcome::Failed,
            Stage::Waiting if thread::panicking() || current::discarding().is_some() => Outcome::Failed,
            Stage::Waiting => Outcome::Ignored,
            Stage::Cloned => return,
        };
        // The place among the events that wait first: whoever hears of the end of this one finds room for the next.
        self.subscription.release();
        self.letter.tally().count(self.place, outcome);
    }
}

/// The same event, whose publisher does not hear of the clone: what is counted is the original.
impl<E> Clone for EventDelivery<E> {
    fn clone(&self) -> Self {
        let (letter, subscription) = (Arc::clone(&self.letter), Arc::clone(&self.subscription));
        Self { letter, subscription, place: self.place, stage: Stage::Cloned }
    }
}

impl<E> fmt::Debug for EventDelivery<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventDelivery").field("handler", &self.subscription.handler).finish_non_exhaustive()
    }
}

/// Says that a subscriber was too slow: some events did not come, because its bound of them waited or were being handled.
///
/// It comes to the module whose handler lagged, in the place of the events that did not, once half of those that waited are done:
///
/// ```
/// use dms::event::{Lagged, Tick};
/// use dms::prelude::*;
///
/// #[module]
/// struct Display { stale: bool }
///
/// #[module]
/// impl Display {
///     #[event(buffer = 64)]
///     async fn on_tick(&mut self, tick: &Tick) {}
///
///     #[event]
///     fn on_lagged(&mut self, lagged: &Lagged) {
///         println!("`{}` missed {}", lagged.handler, lagged.missed);
///         self.stale = true;
///     }
/// }
/// ```
///
/// A module without such a handler has it logged as a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lagged {
    /// How many events did not come.
    pub missed: u64,
    /// The handler that would have got them.
    pub handler: &'static str,
}

impl Lagged {
    pub(super) fn new(missed: u64, handler: &'static str) -> Self {
        Self { missed, handler }
    }
}
