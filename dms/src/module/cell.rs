//! What outlives every handler: the part of a module that its references point at.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::deadlock::Waits;
use super::environment::Environment;
use super::handler::Module;
use super::info::ModuleInfo;
use super::lifecycle::{Failure, ModuleId, ModuleReport, ModuleState};
use super::mailbox::Mailbox;

/// One allocation a module: its mailbox and what is known of it.
pub(crate) struct Cell<T: Module> {
    pub(crate) core: Core,
    pub(crate) mailbox: Mailbox<T::Message>,
}

/// The part that does not depend on the module's type.
pub(crate) struct Core {
    pub(crate) id: ModuleId,
    pub(crate) info: &'static ModuleInfo,
    /// The name given at registration.
    pub(crate) given_name: Option<Box<str>>,
    pub(crate) parent: Option<ModuleId>,
    pub(crate) environment: Arc<Environment>,
    /// What the worker is told besides messages: the bits of [`control`].
    pub(crate) control: AtomicU8,
    state: AtomicU8,
    /// Whether the reply of the message in hand may have been given to another task.
    pub(crate) detached: AtomicBool,
    pub(crate) bounded: bool,
    /// Whether senders wait for room; then the worker lets them in when it frees some.
    pub(crate) has_waiters: AtomicBool,
    /// How many messages have begun: the position of the one in hand, plus one.
    pub(crate) begun: AtomicU64,
    /// Accepted and never handled.
    pub(crate) undelivered: AtomicU64,
    /// Who this module waits for.
    pub(crate) waits: Waits,
    /// The worker's waker: its loop is the root of its task, so it never changes.
    pub(crate) waker: OnceLock<Waker>,
    pub(crate) changed: Notify,
    pub(crate) failure: Mutex<Option<Box<Failure>>>,
    pub(crate) worker: Mutex<Option<JoinHandle<()>>>,
}

/// The bits of [`Core::control`].
pub(crate) mod control {
    /// Handle no message that was accepted before; go on for stop hooks.
    pub(crate) const QUIESCE: u8 = 1;
    /// Handle what is queued, then stop.
    pub(crate) const DRAIN: u8 = 2;
    /// Stop after the running handler.
    pub(crate) const STOP: u8 = 4;
}

impl Core {
    pub(crate) fn new(
        id: ModuleId,
        info: &'static ModuleInfo,
        given_name: Option<Box<str>>,
        parent: Option<ModuleId>,
        bounded: bool,
        environment: Arc<Environment>,
    ) -> Self {
        Self {
            id,
            info,
            given_name,
            parent,
            environment,
            control: AtomicU8::new(0),
            state: AtomicU8::new(ModuleState::Created as u8),
            detached: AtomicBool::new(false),
            bounded,
            has_waiters: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            undelivered: AtomicU64::new(0),
            waits: Waits::default(),
            waker: OnceLock::new(),
            changed: Notify::new(),
            failure: Mutex::new(None),
            worker: Mutex::new(None),
        }
    }

    /// The name in errors and logs: the one given, else the type's with the id.
    pub(crate) fn name(&self) -> String {
        match &self.given_name {
            Some(name) => name.to_string(),
            None if self.info.unique => self.info.name.to_owned(),
            None => format!("{}#{}", self.info.name, self.id),
        }
    }

    pub(crate) fn state(&self) -> ModuleState {
        ModuleState::from_u8(self.state.load(Ordering::Acquire))
    }

    pub(crate) fn set_state(&self, state: ModuleState) {
        self.state.store(state as u8, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Whether senders may wait for room. Of a sender that gets in line and a worker that frees room, at least one sees the other.
    pub(crate) fn may_have_waiters(&self) -> bool {
        if !self.bounded {
            return false;
        }
        fence(Ordering::SeqCst);
        self.has_waiters.load(Ordering::Relaxed)
    }

    /// Shows that a running module is to stop.
    pub(crate) fn begin_stopping(&self) {
        let (running, stopping) = (ModuleState::Running as u8, ModuleState::Stopping as u8);
        if self.state.compare_exchange(running, stopping, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            self.changed.notify_waiters();
        }
    }

    pub(crate) fn has(&self, bits: u8) -> bool {
        self.control.load(Ordering::Acquire) & bits != 0
    }

    /// Whether it has been told to stop or drain.
    pub(crate) fn is_ending(&self) -> bool {
        self.control.load(Ordering::Acquire) != 0
    }

    pub(crate) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    /// Keeps the first failure: it is the cause of those that follow.
    pub(crate) fn fail(&self, failure: Failure) {
        let mut first = self.failure.lock();
        if first.is_none() {
            *first = Some(Box::new(failure));
        }
    }

    pub(crate) fn count_undelivered(&self, count: usize) {
        self.undelivered.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn report(&self) -> ModuleReport {
        ModuleReport {
            name: self.name(),
            id: self.id,
            state: self.state(),
            undelivered: self.undelivered.load(Ordering::Relaxed),
            failure: self.failure.lock().as_deref().cloned(),
        }
    }

    /// Waits until `reached` holds of the state.
    pub(crate) async fn wait_until(&self, reached: impl Fn(ModuleState) -> bool) -> ModuleState {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Registered before the look, so that no change is missed between the two.
            changed.as_mut().enable();
            let state = self.state();
            if reached(state) {
                return state;
            }
            changed.await;
        }
    }
}

/// A module of any type.
pub(crate) trait AnyCell: Any + Send + Sync {
    fn core(&self) -> &Core;

    /// Messages that wait, the rest of the batch in hand among them.
    fn depth(&self) -> usize;

    /// Messages that wait, and the one that is handled.
    fn load(&self) -> usize;

    /// Lets waiting senders in as far as there is room.
    fn admit(&self);

    /// Refuses all but stop hooks from now on, drops what is queued as undelivered, and sets `bits` of the control.
    fn quiesce(&self, bits: u8);

    /// Refuses all but stop hooks from now on, and lets what is queued be handled before the module stops.
    fn begin_drain(&self);

    /// Ends asks whose deadline has passed. Returns whether any are left to look at.
    fn sweep(&self, sweeps: u32) -> bool;

    /// Whether there are asks that the sweeps look after.
    fn has_asks(&self) -> bool;

    /// Ends all asks that the sweeps look after.
    fn fail_asks(&self);
}

impl<T: Module> AnyCell for Cell<T> {
    fn core(&self) -> &Core {
        &self.core
    }

    fn depth(&self) -> usize {
        self.mailbox.depth(&self.core)
    }

    fn load(&self) -> usize {
        self.mailbox.load(&self.core)
    }

    fn admit(&self) {
        self.mailbox.admit(&self.core);
    }

    fn quiesce(&self, bits: u8) {
        self.mailbox.quiesce(&self.core, bits);
    }

    fn begin_drain(&self) {
        self.mailbox.begin_drain(&self.core);
    }

    fn sweep(&self, sweeps: u32) -> bool {
        self.mailbox.sweep(sweeps)
    }

    fn has_asks(&self) -> bool {
        self.mailbox.has_asks()
    }

    fn fail_asks(&self) {
        self.mailbox.fail_asks();
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("name", &self.name()).field("state", &self.state()).finish_non_exhaustive()
    }
}
