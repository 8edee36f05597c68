//! Messages that come by themselves: periodic ones and delayed ones (contract T1 to T4).

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::cell::{AnyCell, Cell};
use super::current;
use super::handler::{Answers, Module};
use super::mailbox::{Accepted, Terms};
use super::message_set::{Accepts, Owner};
use super::module_ref::ModuleRef;
use super::reply::ReplyTo;
use super::span::Sender;
use super::timers::{Fired, Key, Source};

/// The shortest interval between two ticks; what is shorter is taken as this.
const SHORTEST: Duration = Duration::from_millis(1);

/// How many ticks of one request may wait in the mailbox; later ones are skipped.
const MOST_WAITING: usize = 1_024;

/// Stops what [`request_tick`](ModuleRef::request_tick) or [`send_after`](ModuleRef::send_after) asked for.
///
/// Dropping it stops nothing.
#[derive(Clone)]
pub struct TimerHandle {
    cell: Arc<dyn AnyCell>,
    key: Option<Key>,
    skipped: Arc<AtomicU64>,
}

impl TimerHandle {
    /// Sends no further message of this request, and leaves all others alone. What waits in the mailbox is still handled.
    ///
    /// Calling it again, or after the module has stopped, does nothing.
    pub fn stop(&self) {
        if let Some(key) = self.key {
            self.cell.core().environment.timers.stop(key);
        }
    }

    /// How many ticks were skipped because 1,024 of this request waited already.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for TimerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimerHandle")
            .field("module", &self.cell.core().name())
            .field("skipped", &self.skipped())
            .finish_non_exhaustive()
    }
}

/// A periodic message of a module, as `#[tick(every = "…")]` writes it.
pub struct Tick<T: Module> {
    name: &'static str,
    every: Duration,
    message: fn() -> T::Message,
}

impl<T: Module> Tick<T> {
    /// Describes the tick `name`: `message` each `every`.
    #[must_use]
    pub const fn new(name: &'static str, every: Duration, message: fn() -> T::Message) -> Self {
        Self { name, every, message }
    }

    pub(crate) fn request(&self, target: &ModuleRef<T>) {
        request(target, self.name, self.every, self.message);
    }
}

impl<T: Module> fmt::Debug for Tick<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tick").field("name", &self.name).field("every", &self.every).finish_non_exhaustive()
    }
}

/// Sends what `message` makes each `interval`, first after one.
pub(crate) fn request<T: Module>(
    target: &ModuleRef<T>,
    name: &'static str,
    interval: Duration,
    message: impl Fn() -> T::Message + Send + 'static,
) -> TimerHandle {
    let interval = interval.max(SHORTEST);
    let cell = Arc::clone(&target.cell);
    let skipped = Arc::new(AtomicU64::new(0));
    let source = Periodic::<T, _> { cell, name, message, waiting: VecDeque::new(), skipped: Arc::clone(&skipped) };
    schedule(target, Box::new(source), interval, Some(interval), skipped)
}

/// Sends `message` once, after `delay`.
pub(crate) fn delay<T: Answers<M>, M: Send + 'static>(
    target: &ModuleRef<T>,
    message: M,
    delay: Duration,
) -> TimerHandle {
    let source = Delayed::<T, M> { cell: Arc::clone(&target.cell), message: Some(message), sender: Sender::current() };
    let handle = schedule(target, Box::new(source), delay, None, Arc::default());
    if handle.key.is_none() {
        target.cell.core.count_unsent(1);
    }
    handle
}

fn schedule<T: Module>(
    target: &ModuleRef<T>,
    source: Box<dyn Source>,
    first: Duration,
    interval: Option<Duration>,
    skipped: Arc<AtomicU64>,
) -> TimerHandle {
    let core = &target.cell.core;
    let environment = &core.environment;
    let first = Instant::now().checked_add(first);
    core.is_timed.store(true, Ordering::Release);
    let key = environment.timers.request(environment, Some(core.id), source, first, interval);
    if let Some(key) = key
        && core.takes_reloads()
        && current::is(core)
    {
        core.note_timer(key);
    }
    TimerHandle { cell: Arc::clone(&target.cell) as Arc<dyn AnyCell>, key, skipped }
}

struct Periodic<T: Module, F> {
    cell: Arc<Cell<Owner<T>>>,
    name: &'static str,
    message: F,
    /// The positions of the ticks that may still wait.
    waiting: VecDeque<u64>,
    skipped: Arc<AtomicU64>,
}

impl<T: Module, F: Fn() -> T::Message + Send> Source for Periodic<T, F> {
    fn fire(&mut self) -> Fired {
        let core = &self.cell.core;
        let begun = core.begun.load(Ordering::Acquire);
        while self.waiting.front().is_some_and(|position| *position < begun) {
            self.waiting.pop_front();
        }
        if self.waiting.len() >= MOST_WAITING {
            if self.skipped.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::warn!(module = %core.name(), tick = self.name, "1,024 ticks wait already: the handler is slower than they come, later ones are skipped");
            }
            return Fired::Saturated;
        }
        let terms = Terms { beyond_bound: true, asker: None };
        // Made before the lock is taken: this runs the user's `Clone`.
        let message = (self.message)();
        match self.cell.mailbox.push(core, message, |message| message, terms) {
            Ok((Accepted::At(position), _)) => {
                self.waiting.push_back(position);
                Fired::Again
            }
            Ok((Accepted::Dropped, _)) => Fired::Again,
            Err(_) => Fired::Ended,
        }
    }

    fn skip(&mut self, times: u64) {
        self.skipped.fetch_add(times, Ordering::Relaxed);
    }

    fn is_closed(&self) -> bool {
        self.cell.mailbox.is_closed()
    }
}

struct Delayed<T: Answers<M>, M> {
    cell: Arc<Cell<Owner<T>>>,
    message: Option<M>,
    /// Who asked for it.
    sender: Sender,
}

impl<T: Answers<M>, M: Send + 'static> Source for Delayed<T, M> {
    fn fire(&mut self) -> Fired {
        if let Some(message) = self.message.take() {
            let terms = Terms { beyond_bound: true, asker: None };
            let pack = |message| T::Message::pack(message, ReplyTo::nobody());
            let push = || self.cell.mailbox.push(&self.cell.core, message, pack, terms);
            if let Err((message, _)) = mem::take(&mut self.sender).run(push) {
                self.cell.core.count_unsent(1);
                drop(message);
            }
        }
        Fired::Ended
    }

    fn skip(&mut self, _: u64) {}

    fn is_closed(&self) -> bool {
        self.cell.mailbox.is_closed()
    }
}
