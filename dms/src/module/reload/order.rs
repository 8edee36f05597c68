//! What the worker is given to reload its module, and how it answers.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::error::ReloadError;
use super::report::{ReloadEntry, ReloadOutcome};
use super::successor::{State, Successor};
use crate::module::cell::{Cell, Core, control};
use crate::module::environment::Environment;
use crate::module::handler::Module;
use crate::module::info::Version;
use crate::module::lifecycle::{ModuleId, ModuleName, ModuleState};

/// A reload that the worker is to carry out, of a module whose messages belong to `O`.
pub(super) struct Order<O: Module> {
    pub(super) successor: Box<dyn Successor<O>>,
    /// What the new one begins with, where it is not what the old one has.
    pub(super) given: State,
    pub(super) limit: Limit,
    pub(super) answer: Answer,
}

/// How long a reload may take.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    pub(super) after: Duration,
    /// `None` where that does not fit the clock.
    pub(super) deadline: Option<Instant>,
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
    match (refused, order) {
        (Some(error), order) => {
            // Nothing was begun, so nothing is written down.
            if let Some(mut order) = order {
                order.answer.told = None;
            }
            Err(error)
        }
        (None, _) => Ok(()),
    }
}

/// Takes the order, which the worker has not taken, back.
pub(super) fn withdraw<O: Module>(cell: &Cell<O>) -> Option<Order<O>> {
    let core = &cell.core;
    let order = cell.mailbox.locked(|| {
        let order = core.take_order();
        if order.is_some() {
            core.untell(control::RELOAD);
        }
        order
    });
    order.and_then(own)
}

/// Takes the order to carry it out; until that is [settled](settle), no other one is taken.
pub(super) fn take<O: Module>(cell: &Cell<O>) -> Option<Order<O>> {
    cell.mailbox.locked(|| cell.core.take_order()).and_then(own)
}

fn own<O: Module>(order: Box<dyn std::any::Any + Send>) -> Option<Order<O>> {
    order.downcast().ok().map(|order| *order)
}

/// Forgets that the module is to be reloaded.
pub(super) fn settle<O: Module>(cell: &Cell<O>) {
    cell.mailbox.locked(|| cell.core.untell(control::RELOAD));
}
