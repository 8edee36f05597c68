//! What becomes of one publication: the event, shared by all who get it, and what they made of it. One allocation.

use std::any::Any;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::{Poll, Waker};

use parking_lot::Mutex;

/// What the subscribers made of an event: each is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventCounts {
    /// Handlers that returned nothing, or [`EventResponse::Handled`](crate::EventResponse::Handled).
    pub handled: usize,
    /// Handlers that returned [`EventResponse::Ignored`](crate::EventResponse::Ignored).
    pub ignored: usize,
    /// Handlers that returned an error or panicked, and modules that ended before they came to the event.
    pub failed: usize,
    /// Subscribers that did not get the event, for their bound of events was waiting already.
    pub lagged: usize,
    /// Subscribers that had not come to an end with the event when the deadline passed, or that could not while the publisher waits for them.
    pub unanswered: usize,
}

impl fmt::Display for EventCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { handled, ignored, failed, lagged, unanswered } = self;
        write!(f, "{handled} handled, {ignored} ignored, {failed} failed, {lagged} lagged, {unanswered} unanswered")
    }
}

/// What became of one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Handled,
    Ignored,
    Failed,
    Lagged,
}

/// An event on its way, with the tally of its publication.
pub(crate) struct Letter<E> {
    tally: Counted,
    pub(crate) event: E,
}

enum Counted {
    Here(Tally),
    /// The same event in its other form is counted with this one.
    There(Arc<dyn AnyLetter>),
}

/// A letter, whatever its event.
pub trait AnyLetter: Any + Send + Sync {
    #[doc(hidden)]
    fn tally(&self) -> &Tally;
}

impl<E> Letter<E> {
    /// A letter to so many subscribers. Where it is `tracked`, the tally knows each of them, so that some can be left out of the wait.
    pub(crate) fn new(event: E, subscribers: usize, tracked: bool) -> Self {
        Self { tally: Counted::Here(Tally::new(subscribers, tracked)), event }
    }

    /// A letter whose subscribers are counted by another.
    pub(crate) fn counted_by(event: E, letter: Arc<dyn AnyLetter>) -> Self {
        Self { tally: Counted::There(letter), event }
    }

    pub(crate) fn tally(&self) -> &Tally {
        match &self.tally {
            Counted::Here(tally) => tally,
            Counted::There(letter) => letter.tally(),
        }
    }
}

impl<E: Send + Sync + 'static> AnyLetter for Letter<E> {
    fn tally(&self) -> &Tally {
        Self::tally(self)
    }
}

pub struct Tally(Mutex<State>);

struct State {
    counts: EventCounts,
    /// How many subscribers a publisher that waits still waits for.
    open: usize,
    subscribers: usize,
    /// Where each subscriber stands; empty unless the publisher is a handler, which may have to leave some out.
    places: Box<[Place]>,
    publisher: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Open,
    /// Nobody waits for it any more.
    LeftOut,
    Over,
}

impl Tally {
    fn new(subscribers: usize, tracked: bool) -> Self {
        let places = vec![Place::Open; if tracked { subscribers } else { 0 }].into();
        let counts = EventCounts::default();
        Self(Mutex::new(State { counts, open: subscribers, subscribers, places, publisher: None }))
    }

    /// Counts what became of the delivery to the subscriber at `place`.
    pub(crate) fn count(&self, place: u32, outcome: Outcome) {
        let mut state = self.0.lock();
        let counts = &mut state.counts;
        *match outcome {
            Outcome::Handled => &mut counts.handled,
            Outcome::Ignored => &mut counts.ignored,
            Outcome::Failed => &mut counts.failed,
            Outcome::Lagged => &mut counts.lagged,
        } += 1;
        let publisher = state.close(place, Place::Over);
        drop(state);
        if let Some(publisher) = publisher {
            publisher.wake();
        }
    }

    /// Has the publisher not wait for the subscriber at `place`.
    pub(crate) fn leave_out(&self, place: u32) {
        self.0.lock().close(place, Place::LeftOut);
    }

    /// The counts so far; what is left of the subscribers is unanswered.
    pub(crate) fn counts(&self) -> EventCounts {
        let state = self.0.lock();
        let EventCounts { handled, ignored, failed, lagged, .. } = state.counts;
        let unanswered = state.subscribers - handled - ignored - failed - lagged;
        EventCounts { unanswered, ..state.counts }
    }

    /// Ready once nobody is waited for.
    pub(crate) fn poll(&self, publisher: &Waker) -> Poll<()> {
        let mut state = self.0.lock();
        if state.open == 0 {
            return Poll::Ready(());
        }
        let is_known = state.publisher.as_ref().is_some_and(|known| known.will_wake(publisher));
        let outdated = if is_known { None } else { state.publisher.replace(publisher.clone()) };
        drop(state);
        drop(outdated);
        Poll::Pending
    }
}

impl State {
    /// Ends the wait for one subscriber. Gives whom to wake if it was the last.
    fn close(&mut self, place: u32, now: Place) -> Option<Waker> {
        let before = match self.places.get_mut(place as usize) {
            Some(place) if *place == Place::Over => return None,
            Some(place) => mem::replace(place, now),
            None => Place::Open,
        };
        self.open -= usize::from(before == Place::Open);
        if self.open == 0 { self.publisher.take() } else { None }
    }
}
