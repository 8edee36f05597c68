//! What the worker is given to reload its module, and how it answers.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::error::ReloadError;
use super::report::{ReloadEntry, ReloadOutcome};
use super::successor::{State, Successor};
use crate::module::cell::{Cell, Core, control};
use crate::module::current;
use crate::module::environment::Environment;
use crate::module::handler::Module;
use crate::module::info::Version;
use crate::module::lifecycle::{ModuleId, ModuleName, ModuleState};
use crate::module::reply::NoAnswer;
use crate::module::timers::{Fired, Key, Source};

/// A reload that the worker is to carry out, of a module whose messages belong to `O`.
pub(super) struct Order<O: Module> {
    pub(super) successor: Box<dyn Successor<O>>,
    /// What the new one begins with, where it is not what the old one has.
    pub(super) given: State,
    pub(super) limit: Limit,
    pub(super) answer: Answer,
    /// Takes it back in time, until the worker has it.
    pub(super) expiry: Option<Expiry>,
}

/// How long a reload may take.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    pub(super) after: Duration,
    /// `None` where that does not fit the clock.
    pub(super) deadline: Option<Instant>,
}

impl Limit {
    /// When as much time has passed again, from now on.
    pub(super) fn anew(self) -> Option<Instant> {
        Instant::now().checked_add(self.after)
    }
}

/// That a reload is given up at its deadline, though the worker does not come to it and nobody may wait for it. Dropped, it is not.
pub(super) struct Expiry {
    environment: Arc<Environment>,
    key: Option<Key>,
}

impl Expiry {
    /// `None` where there is no deadline.
    pub(super) fn new<O: Module>(cell: &Arc<Cell<O>>, limit: Limit) -> Option<Self> {
        let environment = &cell.core.environment;
        let source = Box::new(Overdue(Arc::clone(cell)));
        // The system's, for it is no message that would be undelivered.
        let key = environment.timers.request(environment, None, source, Some(limit.deadline?), None);
        Some(Self { environment: Arc::clone(environment), key })
    }
}

impl Drop for Expiry {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.environment.timers.stop(key);
        }
    }
}

struct Overdue<O: Module>(Arc<Cell<O>>);

impl<O: Module> Source for Overdue<O> {
    fn fire(&mut self) -> Fired {
        withdraw(&self.0);
        Fired::Ended
    }

    fn skip(&mut self, _: u64) {}

    fn is_closed(&self) -> bool {
        self.0.mailbox.is_closed()
    }
}

/// A reload that has succeeded.
pub(super) struct Done {
    pub(super) old: Version,
    pub(super) new: Version,
    pub(super) incarnation: u32,
    pub(super) migrated: bool,
    pub(super) pause: Duration,
}

/// Who waits for the end of a reload. However it ends, it is written down.
pub(super) struct Answer {
    /// `None` once it is told.
    told: Option<oneshot::Sender<Result<Done, ReloadError>>>,
    environment: Arc<Environment>,
    module: ModuleName,
    id: ModuleId,
    pub(super) old: Version,
    pub(super) new: Version,
}

impl Answer {
    pub(super) fn new(core: &Core, new: Version) -> (Self, oneshot::Receiver<Result<Done, ReloadError>>) {
        let (told, answer) = oneshot::channel();
        let answers = Self {
            told: Some(told),
            environment: Arc::clone(&core.environment),
            module: core.module_name(),
            id: core.id,
            old: core.shown_info().version,
            new,
        };
        (answers, answer)
    }

    pub(super) fn tell(mut self, result: Result<Done, ReloadError>) {
        self.end(result);
    }

    fn end(&mut self, result: Result<Done, ReloadError>) {
        let Some(told) = self.told.take() else { return };
        if let Some(host) = self.environment.host() {
            let (migrated, outcome) = match &result {
                Ok(done) => (done.migrated, ReloadOutcome::Reloaded),
                Err(error) => (false, ReloadOutcome::Failed(error.clone())),
            };
            host.note_reload(ReloadEntry {
                module: self.module.clone(),
                id: self.id,
                old: self.old,
                new: self.new,
                when: SystemTime::now(),
                migrated,
                outcome,
            });
        }
        if let Err(error) = &result {
            tracing::warn!(module = %self.module, "{error}");
        }
        // Who asked may have gone; then nobody wants to know.
        let _ = told.send(result);
    }
}

/// What is dropped on the way was of a module that ended.
impl Drop for Answer {
    fn drop(&mut self) {
        self.end(Err(ReloadError::Stopped { module: self.module.to_string() }));
    }
}

/// Leaves an order for the worker, and wakes it.
pub(super) fn place<O: Module>(cell: &Cell<O>, order: Order<O>) -> Result<(), ReloadError> {
    let core = &cell.core;
    let mut order = Some(order);
    let mut refused = None;
    cell.mailbox.interrupt(core, || {
        let (module, state) = (|| core.name(), core.state());
        refused = if core.is_ending() || state.is_ended() {
            Some(ReloadError::Stopped { module: module() })
        } else if core.has(control::RELOAD) {
            Some(ReloadError::InProgress { module: module() })
        } else if state == ModuleState::Running {
            None
        } else {
            Some(ReloadError::NotRunning { module: module(), state })
        };
        if refused.is_some() {
            return false;
        }
        if let Some(order) = order.take() {
            core.leave_order(Box::new(order));
        }
        core.tell(control::RELOAD);
        true
    });
    let Some(error) = refused else {
        // One without a limit to speak of may have been over before it was there.
        withdraw(cell);
        return Ok(());
    };
    // Nothing was begun, so nothing is written down.
    if let Some(mut order) = order {
        order.answer.told = None;
    }
    Err(error)
}

/// Takes the order back whose time is over before the worker has taken it.
fn withdraw<O: Module>(cell: &Cell<O>) {
    let core = &cell.core;
    let order = cell.mailbox.locked(|| {
        let is_late = |order: &Order<O>| order.limit.deadline.is_some_and(|deadline| deadline <= Instant::now());
        let order = core.take_order_if(|order| order.downcast_ref().is_some_and(is_late))?;
        core.untell(control::RELOAD);
        order.downcast::<Order<O>>().ok()
    });
    if let Some(order) = order {
        let (module, after) = (core.name(), order.limit.after);
        let Order { answer, successor, .. } = *order;
        current::discard(NoAnswer::Stopped, successor);
        answer.tell(Err(ReloadError::TimedOut { module, after, place: "a handler" }));
    }
}

/// Takes the order to carry it out; until that is [settled](settle), no other one is taken.
pub(super) fn take<O: Module>(cell: &Cell<O>) -> Option<Order<O>> {
    let mut order: Order<O> = *cell.mailbox.locked(|| cell.core.take_order())?.downcast().ok()?;
    // From now on the worker looks at the time.
    order.expiry = None;
    Some(order)
}

/// Forgets that the module is to be reloaded: there is one of it.
pub(super) fn settle<O: Module>(cell: &Cell<O>) {
    cell.mailbox.locked(|| {
        cell.core.end_change();
        cell.core.untell(control::RELOAD);
    });
}
