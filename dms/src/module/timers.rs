//! One driver a system for all that happens at a time: ticks, delayed messages, and the sweeps that end coarse deadlines.
//!
//! The driver is a task that exists only while there is something to wait for; where that were asks alone, it ends with the next sweep.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use slab::Slab;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::cell::AnyCell;
use super::deadline::SWEEP_INTERVAL;
use super::environment::Environment;
use super::lifecycle::{IdMap, ModuleId};

/// Tokio's own resolution: what falls into one of these is fired together.
const RESOLUTION: Duration = Duration::from_millis(1);

#[derive(Default)]
pub(crate) struct Timers {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When each request is due next; of requests that were stopped, entries are left until they are due or too many.
    due: BinaryHeap<Reverse<Due>>,
    requests: Slab<Request>,
    by_module: IdMap<Vec<Key>>,
    last_serial: u64,
    /// Mailboxes with asks that have a coarse deadline.
    asked: IdMap<Arc<dyn AnyCell>>,
    next_sweep: Option<Instant>,
    driver: Option<Driver>,
    ended_driver: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Instant,
    key: Key,
}

/// Names a request for ever: places are used again, serials are not. Requests made earlier come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    serial: u64,
    place: usize,
}

struct Request {
    serial: u64,
    /// `None` for what the system itself does.
    module: Option<ModuleId>,
    /// `None` while the driver has it in hand.
    source: Option<Box<dyn Source>>,
    /// `None` for what happens once.
    interval: Option<Duration>,
}

struct Driver {
    handle: JoinHandle<()>,
    waker: Option<Waker>,
    /// Whether something changed that it has not seen.
    changed: bool,
    wakes_at: Option<Instant>,
}

/// How it went, and whether there is a next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fired {
    Again,
    /// The next time is not an interval after this one, but [`Source::due`].
    Anew,
    /// Too many wait already.
    Saturated,
    Ended,
}

/// What a request does when it is due.
pub(crate) trait Source: Send {
    fn fire(&mut self) -> Fired;

    /// When it is due next, where it has fired [anew](Fired::Anew).
    fn due(&self) -> Option<Instant> {
        None
    }

    /// Counts times that are not even tried.
    fn skip(&mut self, times: u64);

    /// Whether the module's end came first, under the lock.
    fn is_closed(&self) -> bool;
}

impl Timers {
    /// Fires `source` at `first`, and each `interval` after that; never where `first` is `None`.
    ///
    /// Returns nothing where the module has ended. What belongs to no module is the system's, which stops it by its key.
    pub(crate) fn request(
        &self,
        environment: &Arc<Environment>,
        module: Option<ModuleId>,
        source: Box<dyn Source>,
        first: Option<Instant>,
        interval: Option<Duration>,
    ) -> Option<Key> {
        let mut state = self.state.lock();
        // A module closes its mailbox before it forgets its timers, so none is left behind.
        if source.is_closed() {
            return None;
        }
        state.last_serial += 1;
        let serial = state.last_serial;
        let place = state.requests.insert(Request { serial, module, source: Some(source), interval });
        let key = Key { serial, place };
        if let Some(module) = module {
            state.by_module.entry(module).or_default().push(key);
        }
        if let Some(at) = first {
            state.due.push(Reverse(Due { at, key }));
            state.wake(environment, at);
        }
        Some(key)
    }

    /// Stops a request, if it has not ended.
    pub(crate) fn stop(&self, key: Key) {
        let mut state = self.state.lock();
        let source = state.remove(key);
        state.settle();
        drop(state);
        drop(source);
    }

    /// Stops all requests of a module that has ended. Returns how many of them were messages to come once.
    pub(crate) fn forget(&self, module: ModuleId, keeps_asks: bool) -> usize {
        let mut state = self.state.lock();
        let mut delayed = 0;
        let mut sources = Vec::new();
        let keys = if state.by_module.is_empty() { None } else { state.by_module.remove(&module) };
        if let Some(keys) = keys {
            for key in keys {
                if let Some(request) = state.requests.get(key.place)
                    && request.serial == key.serial
                {
                    delayed += usize::from(request.interval.is_none());
                    sources.extend(state.requests.remove(key.place).source);
                }
            }
            state.settle();
        }
        // Asks whose reply lives on in another task keep their deadline.
        let asked = if keeps_asks { None } else { state.asked.remove(&module) };
        drop(state);
        drop(asked);
        if !sources.is_empty() {
            super::current::discard_all(super::reply::NoAnswer::Stopped, sources);
        }
        delayed
    }

    /// Has the sweeps look at a mailbox.
    pub(crate) fn list(&self, environment: &Arc<Environment>, cell: Arc<dyn AnyCell>) {
        let mut state = self.state.lock();
        state.asked.insert(cell.core().id, cell);
        if state.next_sweep.is_none() {
            let at = Instant::now() + SWEEP_INTERVAL;
            state.next_sweep = Some(at);
            state.wake(environment, at);
        }
    }

    /// Ends what is left, and waits until the driver has ended.
    pub(crate) async fn join(&self) {
        let handles = {
            let mut state = self.state.lock();
            state.rouse();
            let driver = state.driver.take().map(|driver| driver.handle);
            [state.ended_driver.take(), driver]
        };
        for handle in handles.into_iter().flatten() {
            // The driver contains the panics of what it fires; if it is gone the runtime went down.
            let _ = handle.await;
        }
        // Now that no sweep has any of them in hand.
        let asked = {
            let mut state = self.state.lock();
            state.next_sweep = None;
            std::mem::take(&mut state.asked)
        };
        for cell in asked.into_values() {
            cell.abandon_asks();
        }
    }

    async fn drive(environment: Arc<Environment>) {
        let timers = &environment.timers;
        let mut sleep = pin!(sleep_until(Instant::now()));
        let mut hand = Vec::new();
        loop {
            let now = Instant::now();
            while timers.fire(now, &mut hand) {}
            timers.sweep(&environment);
            let mut armed = None;
            let go_on = poll_fn(|cx| {
                let at = match timers.state.lock().next(cx.waker()) {
                    Next::End => return Poll::Ready(false),
                    Next::Changed => return Poll::Ready(true),
                    Next::At(at) => at,
                };
                let Some(at) = at else { return Poll::Pending };
                if armed != Some(at) {
                    armed = Some(at);
                    sleep.as_mut().reset(at);
                }
                sleep.as_mut().poll(cx).map(|()| true)
            });
            if !go_on.await {
                return;
            }
        }
    }

    /// Fires the earliest requests that are due, all of one resolution step. Returns whether there were any.
    fn fire(&self, now: Instant, hand: &mut Vec<(Due, Box<dyn Source>, Fired)>) -> bool {
        let mut state = self.state.lock();
        let mut step_end = None;
        while let Some(Reverse(due)) = state.due.peek().copied() {
            if due.at > now || step_end.is_some_and(|end| due.at >= end) {
                break;
            }
            state.due.pop();
            let request = state.requests.get_mut(due.key.place).filter(|request| request.serial == due.key.serial);
            if let Some(source) = request.and_then(|request| request.source.take()) {
                step_end = step_end.or(Some(due.at + RESOLUTION));
                hand.push((due, source, Fired::Ended));
            }
        }
        drop(state);
        if hand.is_empty() {
            return false;
        }
        // A source clones a message of the user's, which may do anything: no lock is held.
        for (_, source, fired) in hand.iter_mut() {
            *fired = panic::catch_unwind(AssertUnwindSafe(|| source.fire())).unwrap_or_else(|panic| {
                let text = super::worker::panic_text(&*panic);
                tracing::error!(text, "a periodic message panicked when it was made, and is stopped");
                Fired::Ended
            });
        }
        let mut ended = Vec::new();
        let mut state = self.state.lock();
        for (due, mut source, fired) in hand.drain(..) {
            let Due { at, key } = due;
            match state.requests.get_mut(key.place).filter(|request| request.serial == key.serial) {
                Some(request) if fired != Fired::Ended => {
                    let next = match fired {
                        Fired::Anew => source.due(),
                        _ => request.interval.and_then(|interval| next_due(at, interval, now, &mut *source, fired)),
                    };
                    request.source = Some(source);
                    if let Some(at) = next {
                        state.due.push(Reverse(Due { at, key }));
                    }
                }
                Some(_) => {
                    state.remove(key);
                    ended.push(source);
                }
                // It was stopped meanwhile.
                None => ended.push(source),
            }
        }
        state.settle();
        drop(state);
        if !ended.is_empty() {
            super::current::discard_all(super::reply::NoAnswer::Stopped, ended);
        }
        true
    }

    fn sweep(&self, environment: &Environment) {
        let (now, asked) = {
            let mut state = self.state.lock();
            let Some(at) = state.next_sweep else { return };
            // Not the time before the requests were fired: an interval between two sweeps is never short.
            let now = Instant::now();
            if at > now {
                return;
            }
            (now, std::mem::take(&mut state.asked))
        };
        let sweeps = environment.sweeps.fetch_add(1, Ordering::Release).wrapping_add(1);
        let kept: Vec<_> = asked.into_values().filter(|cell| cell.sweep(sweeps)).collect();
        let mut state = self.state.lock();
        state.asked.extend(kept.into_iter().map(|cell| (cell.core().id, cell)));
        state.next_sweep = (!state.asked.is_empty()).then(|| now + SWEEP_INTERVAL);
    }
}

/// What the driver does next.
enum Next {
    At(Option<Instant>),
    Changed,
    End,
}

impl State {
    /// Sees to it that the driver is up at `at`.
    fn wake(&mut self, environment: &Arc<Environment>, at: Instant) {
        match &mut self.driver {
            Some(driver) => {
                if driver.wakes_at.is_none_or(|wakes_at| at < wakes_at) {
                    self.rouse();
                }
            }
            None => {
                if let Some(runtime) = environment.runtime() {
                    #[expect(clippy::disallowed_methods, reason = "`Timers::end` joins it")]
                    let handle = runtime.spawn(Timers::drive(Arc::clone(environment)));
                    self.driver = Some(Driver { handle, waker: None, changed: false, wakes_at: None });
                }
            }
        }
    }

    /// Wakes the driver to its end when nothing is left, and clears the heap of what was stopped.
    fn settle(&mut self) {
        if self.due.len() > 64 && self.due.len() > 2 * self.requests.len() {
            let requests = &self.requests;
            self.due.retain(|Reverse(due)| {
                requests.get(due.key.place).is_some_and(|request| request.serial == due.key.serial)
            });
        }
        if self.requests.is_empty() {
            self.due.clear();
        }
        if self.due.is_empty() && self.next_sweep.is_none() {
            self.rouse();
        }
    }

    /// Has the driver look again.
    fn rouse(&mut self) {
        if let Some(driver) = &mut self.driver {
            driver.changed = true;
            if let Some(waker) = driver.waker.take() {
                waker.wake();
            }
        }
    }

    fn next(&mut self, waker: &Waker) -> Next {
        let at = match (self.due.peek().map(|Reverse(due)| due.at), self.next_sweep) {
            (Some(due), Some(sweep)) => Some(due.min(sweep)),
            (due, sweep) => due.or(sweep),
        };
        if at.is_none() {
            self.ended_driver = self.driver.take().map(|driver| driver.handle);
            return Next::End;
        }
        // Where the driver was taken out, somebody waits for its end.
        let Some(driver) = &mut self.driver else { return Next::End };
        if std::mem::take(&mut driver.changed) {
            return Next::Changed;
        }
        driver.wakes_at = at;
        driver.waker = Some(waker.clone());
        Next::At(at)
    }

    fn remove(&mut self, key: Key) -> Option<Box<dyn Source>> {
        if self.requests.get(key.place)?.serial != key.serial {
            return None;
        }
        let request = self.requests.remove(key.place);
        if let Some(module) = request.module
            && let Some(keys) = self.by_module.get_mut(&module)
        {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.by_module.remove(&module);
            }
        }
        request.source
    }
}

/// The next time of a request. One whose ticks wait up to the limit is not tried for every time that has passed already.
fn next_due(at: Instant, interval: Duration, now: Instant, source: &mut dyn Source, fired: Fired) -> Option<Instant> {
    let mut at = at;
    if fired == Fired::Saturated && at < now {
        let passed = (now - at).as_nanos() / interval.as_nanos();
        if let Ok(passed) = u64::try_from(passed)
            && let Ok(nanos) = u64::try_from(u128::from(passed) * interval.as_nanos())
        {
            source.skip(passed);
            at += Duration::from_nanos(nanos);
        }
    }
    at.checked_add(interval)
}
