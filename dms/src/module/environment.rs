//! What a module needs of the system around it. The system room implements [`Host`]; this room knows no more of it.

use std::any::{Any, TypeId};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use tokio::runtime::Handle;

use super::cell::AnyCell;
use super::deadline::Patience;
use super::down::Down;
use super::health::HealthChanged;
use super::info::Timeout;
use super::lifecycle::{Failure, ModuleId, ModuleName};
use super::reload::{ReloadEntry, Reloaded};
use super::stop::{How, StopError};
use super::subscription::{Subscriber, Topic};
use super::timers::Timers;
use super::together::Baton;
use crate::recovery::Strategy;

/// What the modules of one system share.
pub(crate) struct Environment {
    /// Drives ticks, delayed messages and the sweeps over mailboxes.
    pub(crate) timers: Timers,
    /// How many sweeps there have been: the clock of coarse deadlines.
    pub(crate) sweeps: AtomicU32,
    /// Accepted messages that were never handled, of all modules that ended.
    pub(crate) undelivered: AtomicU64,
    /// How long asks wait for which neither call nor module sets a deadline.
    pub(crate) patience: Patience,
    /// The most bytes of a request's payload, and of its reply.
    #[cfg(feature = "wire")]
    pub(crate) max_payload: usize,
    /// Whether somebody looks for handlers that do not end, so that modules note what runs.
    pub(crate) is_watched: bool,
    runtime: OnceLock<Handle>,
    host: OnceLock<Weak<dyn Host>>,
}

/// What others are told of a module.
pub(crate) enum News {
    Down(Down),
    Health(HealthChanged),
    Reloaded(Reloaded),
}

/// What the system does for its modules.
pub(crate) trait Host: Any + Send + Sync {
    /// Takes an ended module out of the registry.
    fn remove(&self, id: ModuleId);

    /// Whether the module `id` is a child of `ancestor`, or a child's child.
    fn descends(&self, id: ModuleId, ancestor: ModuleId) -> bool;

    /// The module's children that have not ended, the youngest first.
    fn children(&self, id: ModuleId) -> Vec<Arc<dyn AnyCell>>;

    /// Ends that incarnation of a module whose child has failed, which it fails of, unless it is ending already.
    fn break_off(&self, id: ModuleId, child: ModuleId, failure: Failure);

    /// What is restarted with one of the children of `parent`, or of the modules that have none.
    fn strategy(&self, parent: Option<ModuleId>) -> Strategy;

    /// Who conducts the restarts of the children of `parent`, or of the modules that have none.
    fn baton(&self, parent: Option<ModuleId>) -> Baton;

    /// The modules that are to end, the youngest first, where this one begins again.
    fn group(&self, id: ModuleId) -> Vec<Arc<dyn AnyCell>>;

    /// Runs something beside the modules, until the system has shut down.
    fn errand(&self, errand: Pin<Box<dyn Future<Output = ()> + Send>>);

    /// Whether any module hears of events of this type, which has no other form.
    fn hears(&self, event: TypeId) -> bool;

    /// Tells modules what has happened to one of them, as an event.
    fn announce(&self, news: News);

    /// Writes a reload down.
    fn note_reload(&self, entry: ReloadEntry);

    /// The last reloads: of all modules, or of one.
    fn reloads(&self, id: Option<ModuleId>) -> Vec<ReloadEntry>;

    /// Whether the module has children that have not ended.
    fn has_children(&self, id: ModuleId) -> bool;

    /// Has a module get the events of a topic from now on, until it ends.
    fn subscribe(&self, topic: Topic, subscriber: Arc<dyn Subscriber>);

    /// The module `id` as a subscriber of the topic, if it is one.
    fn subscriber(&self, id: ModuleId, topic: Topic) -> Option<Arc<dyn Subscriber>>;

    /// Whether modules may end: asked for by whoever wants to end them. Gives them with all that depend on them, in the order in which they are to end, where there
    /// are such and they are to end too; else nothing.
    fn leave(&self, modules: &[Arc<dyn AnyCell>], with_dependents: bool) -> Result<Vec<Arc<dyn AnyCell>>, StopError>;

    /// Ends modules one after the other, whether or not anybody waits for it.
    fn end_in_order(&self, modules: Vec<Arc<dyn AnyCell>>, how: How);

    /// Whether the system shuts down.
    fn is_shutting_down(&self) -> bool;

    /// Takes note of the failure of a module that the system cannot do without: it shuts down.
    fn fail(self: Arc<Self>, module: ModuleName, failure: Failure);

    /// Stops a module's children, the youngest first.
    fn stop_children(self: Arc<Self>, id: ModuleId) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

impl Environment {
    pub(crate) fn new(timeout: Timeout) -> Self {
        Self {
            timers: Timers::default(),
            sweeps: AtomicU32::new(0),
            undelivered: AtomicU64::new(0),
            patience: Patience::of_system(timeout),
            #[cfg(feature = "wire")]
            max_payload: crate::message::MAX_PAYLOAD,
            is_watched: false,
            runtime: OnceLock::new(),
            host: OnceLock::new(),
        }
    }

    /// Makes the system known; once.
    pub(crate) fn set_host(&self, host: Weak<dyn Host>) {
        // A second call would be a bug of ours that changes nothing.
        let _ = self.host.set(host);
    }

    pub(crate) fn host(&self) -> Option<Arc<dyn Host>> {
        self.host.get().and_then(Weak::upgrade)
    }

    /// Tells modules what has happened to one of them.
    pub(crate) fn announce(&self, news: News) {
        if let Some(host) = self.host() {
            host.announce(news);
        }
    }

    /// The runtime that the system lives on: that of the first registration.
    #[inline]
    pub(crate) fn runtime(&self) -> Option<&Handle> {
        self.runtime.get().or_else(|| self.find_runtime())
    }

    #[cold]
    fn find_runtime(&self) -> Option<&Handle> {
        // Where two register at once, the first wins and both use its runtime.
        Handle::try_current().ok().map(|handle| self.runtime.get_or_init(|| handle))
    }

    pub(crate) fn sweeps(&self) -> u32 {
        self.sweeps.load(Ordering::Relaxed)
    }
}
