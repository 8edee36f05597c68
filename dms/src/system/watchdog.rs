//! Who looks for handlers that do not end: a periodic look over the modules, which tells of those whose message in hand stays the same.

use std::sync::Weak;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::event::Audience;
use super::registry::Shared;
use super::sources::SHORTEST;
use crate::module::cell::{AnyCell, InHand};
use crate::module::lifecycle::IdMap;
use crate::module::timers::{Fired, Key, Source};
use crate::module::{ModuleId, ModuleName};

/// A handler or hook has been running for long: what [`SystemBuilder::watchdog`](crate::SystemBuilder::watchdog) finds.
///
/// It is told once of each message, and again each time that the time has doubled. Nothing is done about it: a `#[handler(deadline = "2s")]` or a `#[health]` check is what
/// ends such a handler, or [`ModuleRef::kill`](crate::ModuleRef::kill).
///
/// ```
/// use dms::event::HandlerStuck;
/// use dms::prelude::*;
///
/// #[module]
/// struct Pager;
///
/// #[module]
/// impl Pager {
///     #[event]
///     fn on_stuck(&mut self, stuck: &HandlerStuck) {
///         println!("{}: `{}` has been running for {:?}", stuck.module, stuck.handler, stuck.elapsed);
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandlerStuck {
    /// The module's name.
    pub module: ModuleName,
    /// The module's id.
    pub id: ModuleId,
    /// The handler's name, or `init`, `start`, `run` or `stop`.
    pub handler: &'static str,
    /// How long it has been seen to run; it may have run up to a quarter of the watchdog's time longer.
    pub elapsed: Duration,
    /// How many messages wait behind it.
    pub depth: usize,
}

/// The watchdog of one system.
pub(super) struct Watchdog {
    after: Option<Duration>,
    system: Weak<Shared>,
    run: Mutex<Run>,
}

/// Whether it looks.
enum Run {
    /// There are no modules.
    Off,
    On(Key),
    /// The system has shut down.
    Over,
}

impl Watchdog {
    pub(super) fn new(after: Option<Duration>, system: Weak<Shared>) -> Self {
        Self { after, system, run: Mutex::new(Run::Off) }
    }
}

impl Shared {
    /// Has the watchdog look while there are modules. Not under the registry's lock.
    pub(super) fn tend_watchdog(&self) {
        if let Some(after) = self.watchdog.after {
            self.tend_watchdog_of(after);
        }
    }

    #[cold]
    fn tend_watchdog_of(&self, after: Duration) {
        let timers = &self.environment.timers;
        let mut run = self.watchdog.run.lock();
        match (&*run, self.has_modules()) {
            (Run::Off, true) => {
                let every = (after / 4).max(SHORTEST);
                let look = Box::new(Look { system: self.watchdog.system.clone(), after, seen: IdMap::default() });
                let first = Instant::now().checked_add(every);
                if let Some(key) = timers.request(&self.environment, None, look, first, Some(every)) {
                    *run = Run::On(key);
                }
            }
            (Run::On(key), false) => {
                timers.stop(*key);
                *run = Run::Off;
            }
            _ => {}
        }
    }

    /// Looks no more, whatever modules are left.
    pub(super) fn end_watchdog(&self) {
        if self.watchdog.after.is_some()
            && let Run::On(key) = std::mem::replace(&mut *self.watchdog.run.lock(), Run::Over)
        {
            self.environment.timers.stop(key);
        }
    }

    /// Tells of a module that does not come on.
    fn report_stuck(&self, module: &dyn AnyCell, handler: &'static str, elapsed: Duration) {
        let (core, depth) = (module.core(), module.depth());
        let name = core.module_name();
        tracing::warn!(module = %name, handler, elapsed = ?elapsed, depth, "a handler does not end");
        let stuck = HandlerStuck { module: name, id: core.id, handler, elapsed, depth };
        drop(self.publish(stuck, Audience::Everybody));
    }
}

/// The periodic look.
struct Look {
    system: Weak<Shared>,
    after: Duration,
    /// The modules that had something in hand when it looked last.
    seen: IdMap<Seen>,
}

/// What a module had in hand.
struct Seen {
    what: InHand,
    /// Since when it is known to be the same.
    since: Instant,
    /// After how long it is told of.
    told_after: Duration,
}

impl Source for Look {
    fn fire(&mut self) -> Fired {
        let Some(system) = self.system.upgrade() else { return Fired::Ended };
        let now = Instant::now();
        let mut seen = IdMap::default();
        for (module, what) in system.in_hand() {
            let id = module.core().id;
            let before = self.seen.remove(&id).filter(|before| before.what == what);
            let handler = what.name;
            let mut this = before.unwrap_or(Seen { what, since: now, told_after: self.after });
            let elapsed = now.saturating_duration_since(this.since);
            if elapsed >= this.told_after {
                this.told_after = elapsed.saturating_mul(2);
                system.report_stuck(&*module, handler, elapsed);
            }
            seen.insert(id, this);
        }
        self.seen = seen;
        Fired::Again
    }

    fn skip(&mut self, _: u64) {}

    fn is_closed(&self) -> bool {
        false
    }
}
