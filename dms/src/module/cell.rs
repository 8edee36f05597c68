//! What outlives every handler: the part of a module that its references point at.

use std::any::{Any, type_name};
use std::fmt;
use std::mem;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::deadline::{Deadline, Patience};
use super::deadlock::Waits;
use super::down::{Down, DownWatcher};
use super::environment::Environment;
use super::handler::Module;
use super::health::Health;
use super::info::ModuleInfo;
#[cfg(feature = "observe")]
use super::life_log;
use super::lifecycle::{Failure, ModuleId, ModuleName, ModuleReport, ModuleState};
use super::mailbox::Mailbox;
use super::timers::Key;
use super::together::Ticket;
#[cfg(feature = "observe")]
use super::traffic::Counted;
use super::traffic::{EndCounts, Noted};
use super::watch::{Reaching, Watcher};
#[cfg(feature = "wire")]
use super::{
    info::Timeout,
    message_set::Owner,
    remote::{self, Answering},
    request_error::RequestError,
};
#[cfg(feature = "wire")]
use crate::message::Request;
use crate::recovery::Strategy;

/// One allocation a module: its mailbox and what is known of it. `T` is the owner of the messages, whichever type of module handles them.
///
/// The layout keeps apart what different threads touch: what all read, what the worker writes, and what the mailbox's lock guards, with
/// what is rarely looked at between them.
#[repr(C)]
pub(crate) struct Cell<T: Module> {
    pub(crate) core: Core,
    pub(crate) mailbox: Mailbox<T::Message>,
}

/// The part that does not depend on the module's type.
#[repr(C)]
pub(crate) struct Core {
    // Written once, read with each message.
    pub(crate) environment: Arc<Environment>,
    /// The worker's waker: its loop is the root of its task, so it never changes.
    pub(crate) waker: OnceLock<Waker>,
    /// The sweep with which an ask's deadline passes that nobody set, from the last one on; `None` where no sweep looks after it.
    pub(crate) sweeps: Option<NonZeroU32>,
    pub(crate) bounded: bool,
    /// The bits of [`ties`].
    ties: AtomicU8,
    /// Whether it ever had ticks, delayed messages, or asks that the sweeps look after.
    pub(crate) is_timed: AtomicBool,
    /// Whether a reply may ever have been given to another task.
    pub(crate) detaches: AtomicBool,
    // Rarely looked at.
    pub(crate) info: &'static ModuleInfo,
    pub(crate) id: ModuleId,
    /// What few modules have.
    origin: Option<Box<Origin>>,
    pub(crate) end: Mutex<End>,
    // Written by the worker with each message.
    /// How many messages have begun: the position of the one in hand, plus one.
    pub(crate) begun: AtomicU64,
    /// When the caller of the running handler gives up: a [`Deadline`].
    deadline: AtomicU64,
    /// How often the worker has been polled.
    polls: AtomicU32,
    /// The last key of a watcher.
    last_key: AtomicU32,
    /// What the worker is told besides messages: the bits of [`control`].
    pub(crate) control: AtomicU16,
    /// What the worker is about: the bits of [`phase`].
    phase: AtomicU8,
    /// Whether a batch is in hand.
    pub(crate) is_busy: AtomicBool,
    /// Whether the reply of the message in hand may have been given to another task.
    pub(crate) detached: AtomicBool,
    state: AtomicU8,
    /// Whether somebody ever waited for a change of the state.
    is_watched: AtomicBool,
    /// The bits of [`verdict`].
    verdict: AtomicU8,
    /// Whether senders wait for room; then the worker lets them in when it frees some.
    pub(crate) has_waiters: AtomicBool,
    /// When the worker is to look how long something takes.
    pub(crate) noted: Noted,
    /// Accepted and never handled.
    pub(crate) undelivered: AtomicU64,
    /// Who this module waits for.
    pub(crate) waits: Waits,
}

/// What a module has in hand, as others see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InHand {
    /// The handler or hook.
    pub(crate) name: &'static str,
    begun: u64,
    state: ModuleState,
    incarnation: u32,
}

/// Where a module comes from.
#[derive(Default)]
pub(crate) struct Origin {
    /// The name given at registration.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) parent: Option<ModuleId>,
    /// What this one module says of itself, where that is not what its type says.
    pub(crate) info: Option<Box<ModuleInfo>>,
}

/// How a module ends.
#[derive(Default)]
pub(crate) struct End {
    pub(crate) worker: Option<JoinHandle<()>>,
    /// The first of those who wait for the next change of the state: nearly always the only one, who stops the module.
    watcher: Option<Watcher>,
    /// Boxed, for there is nearly always none of it.
    rest: Option<Box<Rest>>,
}

/// The handler or hook that runs, or ran last.
pub(crate) type Running = Arc<Mutex<&'static str>>;

#[derive(Default)]
struct Rest {
    failure: Option<Failure>,
    /// How often the module was started again.
    restarts: u32,
    watchers: Vec<Watcher>,
    /// That the module is to end and begin again with another one.
    ticket: Option<Ticket>,
    /// Who is told of each end of an incarnation, until the last.
    down_watchers: Vec<DownWatcher>,
    /// How the module is, where it is not simply healthy.
    health: Option<Box<Health>>,
    counts: EndCounts,
    /// The handler or hook that runs, where somebody looks for it.
    running: Option<Running>,
    /// What is known of reloads.
    reload: Option<Box<ReloadNotes>>,
}

/// What is known of the reloads of a module.
#[derive(Default)]
struct ReloadNotes {
    /// That another value is to take the module's place, and how: in a type that the worker knows.
    order: Option<Box<dyn Any + Send>>,
    /// How often another one has taken its place.
    count: u32,
    /// While there are both, the old one and the new one.
    change: Option<Change>,
    /// What the type says of itself that is in the place by now.
    shown_info: Option<&'static ModuleInfo>,
}

/// A module that is brought up beside the one whose place it is to take, or that one as it ends.
struct Change {
    elders: Elders,
    /// Whether the new one has the place.
    is_made: bool,
    /// Whether it will never have it.
    is_given_up: bool,
    /// What the new one failed of before that, besides its hooks.
    failure: Option<Failure>,
    /// What the new one asked of the timers before that.
    timers: Vec<Key>,
}

/// The children of the old one, while a module is reloaded: ids rise, so those of the new one are above theirs.
#[derive(Clone, Copy)]
pub(crate) struct Elders {
    /// `None` where there are none.
    pub(crate) youngest: Option<ModuleId>,
}

impl Elders {
    /// Whether the child is one of them.
    pub(crate) fn has(self, child: ModuleId) -> bool {
        self.youngest.is_some_and(|youngest| child <= youngest)
    }
}

/// Of whom an incarnation fails.
#[derive(Clone, Copy)]
pub(crate) enum Culprit {
    /// Of what is its own: the incarnation of this number.
    Incarnation(u32),
    /// Of a child.
    Child(ModuleId),
}

impl Culprit {
    pub(crate) fn is_child(self) -> bool {
        matches!(self, Self::Child(_))
    }
}

/// Which of a module's incarnations a failure is that of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Running,
    /// The one that is brought up, to take its place.
    Next,
    /// One that has lost its place.
    Gone,
}

impl End {
    /// Which incarnation runs, or is to come: from 1.
    fn incarnation(&self) -> u32 {
        let reloads = self.reload().map_or(0, |reload| reload.count);
        self.rest.as_ref().map_or(0, |rest| rest.restarts).saturating_add(reloads).saturating_add(1)
    }

    fn reload(&self) -> Option<&ReloadNotes> {
        self.rest.as_ref().and_then(|rest| rest.reload.as_deref())
    }

    fn reload_mut(&mut self) -> &mut ReloadNotes {
        self.rest.get_or_insert_default().reload.get_or_insert_default()
    }
}

/// The bits of [`Core::phase`].
mod phase {
    /// A handler, or a hook other than a loop of the module's own, runs: what it waits for holds the module up.
    pub(super) const HANDLER: u8 = 1;
    /// What runs is the `stop` hook, or a handler that answers one: modules that still run answer it, though they refuse everybody else.
    pub(super) const STOP_HOOKS: u8 = 2;
    /// An asker runs the handler.
    pub(super) const VISITED: u8 = 4;
}

/// The bits of [`Core::verdict`]: how the running incarnation ends, as far as that is known.
mod verdict {
    /// There is a failure.
    pub(super) const FAILED: u8 = 1;
    /// The module has ended, and nothing changes of how.
    pub(super) const FINAL: u8 = 2;
}

/// The bits of [`Core::ties`]: what the registry has noted, and how it lives.
mod ties {
    /// It has children, or had some.
    pub(super) const PARENT: u8 = 1;
    /// Somebody asked for its end.
    pub(super) const LEAVES: u8 = 2;
    /// Others depend on it, or did.
    pub(super) const NEEDED: u8 = 4;
    /// It is built again when it fails.
    pub(super) const SUPERVISED: u8 = 8;
    /// Its `init` was successful, where others wait for that.
    pub(super) const INITIALISED: u8 = 16;
    /// It has run, though it may not any more.
    pub(super) const STARTED: u8 = 32;
    /// It has run, and may be told to begin again with others.
    pub(super) const FOLLOWS: u8 = 64;
    /// Another value may take its place.
    pub(super) const RELOADS: u8 = 128;
}

/// The bits of [`Core::control`].
pub(crate) mod control {
    /// Handle no message that was accepted before; go on for stop hooks.
    pub(crate) const QUIESCE: u16 = 1;
    /// Handle what is queued, then stop.
    pub(crate) const DRAIN: u16 = 2;
    /// Stop after the running handler.
    pub(crate) const STOP: u16 = 4;
    /// The system is gone: nobody answers any more, nor does another task for the module.
    pub(crate) const GONE: u16 = 8;
    /// The registration is taken back: that it ends is nobody's failure.
    pub(crate) const TAKEN_BACK: u16 = 16;
    /// End the running incarnation after the running handler; the module itself goes on.
    pub(crate) const RENEW: u16 = 32;
    /// Check the module's health before the next message.
    pub(crate) const HEALTH: u16 = 64;
    /// Let another value take the module's place after the running handler.
    pub(crate) const RELOAD: u16 = 256;
    /// Drop the code that runs where it is, as after a panic: the incarnation has failed. Comes with one of the other bits that end it.
    pub(crate) const CUT: u16 = 128;
    /// All of those after which the module itself ends.
    pub(crate) const ENDS: u16 = QUIESCE | DRAIN | STOP | GONE | TAKEN_BACK;
}

impl Core {
    pub(crate) fn new(
        id: ModuleId,
        info: &'static ModuleInfo,
        origin: Origin,
        state: ModuleState,
        bounded: bool,
        environment: Arc<Environment>,
    ) -> Self {
        let timeout = origin.info.as_ref().map_or(info.timeout, |own| own.timeout);
        Self {
            waker: OnceLock::new(),
            sweeps: Patience::of_module(timeout, environment.patience).sweeps(),
            environment,
            info,
            id,
            origin: (origin.name.is_some() || origin.parent.is_some() || origin.info.is_some())
                .then(|| Box::new(origin)),
            end: Mutex::default(),
            begun: AtomicU64::new(0),
            deadline: AtomicU64::new(Deadline::NEVER.to_bits()),
            polls: AtomicU32::new(0),
            last_key: AtomicU32::new(0),
            phase: AtomicU8::new(phase::HANDLER),
            is_busy: AtomicBool::new(false),
            detached: AtomicBool::new(false),
            control: AtomicU16::new(0),
            state: AtomicU8::new(state as u8),
            is_watched: AtomicBool::new(false),
            verdict: AtomicU8::new(0),
            ties: AtomicU8::new(0),
            is_timed: AtomicBool::new(false),
            detaches: AtomicBool::new(false),
            bounded,
            has_waiters: AtomicBool::new(false),
            undelivered: AtomicU64::new(0),
            noted: Noted::default(),
            waits: Waits::default(),
        }
    }

    /// What the module says of itself.
    pub(crate) fn info(&self) -> &ModuleInfo {
        self.own_info().unwrap_or(self.info)
    }

    /// What the value says of itself, where that is not what its type says.
    pub(crate) fn own_info(&self) -> Option<&ModuleInfo> {
        self.origin.as_ref().and_then(|origin| origin.info.as_deref())
    }

    /// What is shown of the module: as [`info`](Self::info), until another type takes its place.
    pub(crate) fn shown_info(&self) -> &ModuleInfo {
        let shown =
            if self.takes_reloads() { self.end.lock().reload().and_then(|reload| reload.shown_info) } else { None };
        shown.unwrap_or_else(|| self.info())
    }

    /// The name in errors and logs: the one given, else the type's with the id.
    pub(crate) fn name(&self) -> String {
        self.module_name().to_string()
    }

    pub(crate) fn module_name(&self) -> ModuleName {
        ModuleName::new(self.origin.as_ref().and_then(|origin| origin.name.clone()), self.info(), self.id)
    }

    /// The name under which no other module may be registered.
    pub(crate) fn unique_name(&self) -> Option<&str> {
        let given = self.origin.as_ref().and_then(|origin| origin.name.as_deref());
        let info = self.info();
        given.or(info.unique.then_some(info.name))
    }

    pub(crate) fn parent(&self) -> Option<ModuleId> {
        self.origin.as_ref().and_then(|origin| origin.parent)
    }

    pub(crate) fn state(&self) -> ModuleState {
        ModuleState::from_u8(self.state.load(Ordering::SeqCst))
    }

    pub(crate) fn set_state(&self, state: ModuleState) {
        let before = self.state.swap(state as u8, Ordering::SeqCst);
        #[cfg(feature = "observe")]
        life_log::changed(self, ModuleState::from_u8(before), state);
        #[cfg(not(feature = "observe"))]
        let _ = before;
        self.wake_watchers();
    }

    /// Of who changes the state and who waits for it at least one sees the other: both orders are sequentially consistent.
    #[inline]
    fn wake_watchers(&self) {
        if self.is_watched.load(Ordering::SeqCst) {
            self.wake_all_watchers();
        }
    }

    fn wake_all_watchers(&self) {
        let mut end = self.end.lock();
        let first = end.watcher.take();
        let others = end.rest.as_mut().map(|rest| mem::take(&mut rest.watchers));
        let tells_end = end.rest.as_ref().is_some_and(|rest| !rest.down_watchers.is_empty());
        drop(end);
        if tells_end && self.state().is_ended() {
            self.tell_end();
        }
        if let Some(first) = first {
            first.wake();
        }
        if let Some(others) = others {
            others.into_iter().for_each(Watcher::wake);
        }
    }

    /// Has each end of an incarnation from now on told to `watcher`; at once where the module has ended.
    pub(crate) fn watch_downs(&self, watcher: DownWatcher) {
        self.end.lock().rest.get_or_insert_default().down_watchers.push(watcher);
        self.is_watched.store(true, Ordering::SeqCst);
        if self.state().is_ended() {
            self.tell_end();
        }
    }

    /// Tells those who watch that the module has ended. Whoever takes a watcher out tells it, so each is told once.
    #[cold]
    fn tell_end(&self) {
        let watchers = self.end.lock().rest.as_mut().map(|rest| mem::take(&mut rest.down_watchers));
        for watcher in watchers.into_iter().flatten() {
            // Who does not want to know any more has dropped its end.
            let _ = watcher.send(Down::new(self, self.failure(), None));
        }
    }

    /// Tells those who watch that an incarnation has ended, and another one is to come.
    pub(crate) fn tell_restart(&self, down: &Down) {
        let watchers = self.end.lock().rest.as_mut().map(|rest| {
            rest.down_watchers.retain(|watcher| !watcher.is_closed());
            rest.down_watchers.clone()
        });
        for watcher in watchers.into_iter().flatten() {
            // Who does not want to know any more has dropped its end.
            let _ = watcher.send(down.clone());
        }
    }

    /// Has the next change of the state wake `waker`. Gives the key by which that is forgotten; it is not used again soon.
    pub(crate) fn watch(&self, waker: &Waker) -> u32 {
        let key = self.last_key.fetch_add(1, Ordering::Relaxed);
        let watcher = Watcher { key, waker: waker.clone() };
        let mut end = self.end.lock();
        if end.watcher.is_none() {
            end.watcher = Some(watcher);
        } else {
            end.rest.get_or_insert_default().watchers.push(watcher);
        }
        drop(end);
        self.is_watched.store(true, Ordering::SeqCst);
        key
    }

    /// Takes back a [`watch`](Self::watch).
    pub(crate) fn forget_watcher(&self, key: u32) {
        let mut end = self.end.lock();
        if end.watcher.as_ref().is_some_and(|watcher| watcher.key == key) {
            end.watcher = None;
        } else if let Some(rest) = &mut end.rest {
            rest.watchers.retain(|watcher| watcher.key != key);
        }
    }

    /// Says that the worker is polled, which it will be again after each wake from now on.
    #[inline]
    pub(crate) fn begin_poll(&self) {
        // The worker alone writes it.
        self.polls.store(self.polls.load(Ordering::Relaxed).wrapping_add(1).max(1), Ordering::Relaxed);
    }

    /// The number of the worker's running poll, from 1.
    #[inline]
    pub(crate) fn poll_number(&self) -> u32 {
        self.polls.load(Ordering::Relaxed)
    }

    // What follows is written and read on the worker's task alone.

    /// When the caller of the running handler gives up.
    #[inline]
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::from_bits(self.deadline.load(Ordering::Relaxed))
    }

    /// As [`deadline`](Self::deadline), in the time of a module that the handler asks.
    #[inline]
    pub(crate) fn deadline_for(&self, asked: &Self) -> Deadline {
        self.deadline_in(&asked.environment)
    }

    /// As [`deadline`](Self::deadline), in the time of a system.
    #[inline]
    pub(crate) fn deadline_in(&self, environment: &Arc<Environment>) -> Deadline {
        if Arc::ptr_eq(&self.environment, environment) {
            self.deadline()
        } else {
            self.deadline().in_other_system(self.environment.sweeps())
        }
    }

    #[inline]
    pub(crate) fn set_deadline(&self, deadline: Deadline) {
        self.deadline.store(deadline.to_bits(), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn is_in_handler(&self) -> bool {
        self.phase.load(Ordering::Relaxed) & phase::HANDLER != 0
    }

    pub(crate) fn set_in_handler(&self, in_handler: bool) {
        let others = self.phase.load(Ordering::Relaxed) & !phase::HANDLER;
        self.phase.store(if in_handler { others | phase::HANDLER } else { others }, Ordering::Relaxed);
    }

    /// Whether an asker runs the handler.
    #[inline]
    pub(crate) fn is_visited(&self) -> bool {
        self.phase.load(Ordering::Relaxed) & phase::VISITED != 0
    }

    #[inline]
    pub(crate) fn set_visited(&self, visited: bool) {
        let others = self.phase.load(Ordering::Relaxed) & !phase::VISITED;
        self.phase.store(if visited { others | phase::VISITED } else { others }, Ordering::Relaxed);
    }

    pub(crate) fn answers_stop_hooks(&self) -> bool {
        self.phase.load(Ordering::Relaxed) & phase::STOP_HOOKS != 0
    }

    pub(crate) fn begin_answering_stop_hooks(&self) {
        self.phase.store(self.phase.load(Ordering::Relaxed) | phase::STOP_HOOKS, Ordering::Relaxed);
    }

    /// Whether senders may wait for room. Of a sender that gets in line and a worker that frees room, at least one sees the other.
    #[inline]
    pub(crate) fn may_have_waiters(&self) -> bool {
        if !self.bounded {
            return false;
        }
        fence(Ordering::SeqCst);
        self.has_waiters.load(Ordering::Relaxed)
    }

    /// Notes that a child is about to be registered. Returns whether the module has been told to stop, and can have none.
    ///
    /// Whether one that leaves has essential children was looked at when somebody asked for its end: it can have no such child even while it is drained.
    pub(crate) fn expect_child(&self, is_essential: bool) -> bool {
        let leaves = self.ties.fetch_or(ties::PARENT, Ordering::AcqRel) & ties::LEAVES != 0;
        fence(Ordering::SeqCst);
        leaves && is_essential || self.has(control::STOP | control::QUIESCE)
    }

    /// Whether there may be children. Of a module that has been told to stop and one that is registered as its child, at least one sees the other.
    pub(crate) fn may_have_children(&self) -> bool {
        fence(Ordering::SeqCst);
        self.ties.load(Ordering::Relaxed) & ties::PARENT != 0
    }

    /// Notes that somebody asked for its end, where it never had children or dependents that could be in the way. Returns whether it could.
    ///
    /// Of a module that leaves and one that comes to depend on it exactly one is first, since both write one number.
    pub(crate) fn leave_alone(&self) -> bool {
        let alone = |ties| (ties & (ties::PARENT | ties::NEEDED) == 0).then_some(ties | ties::LEAVES);
        self.ties.fetch_update(Ordering::AcqRel, Ordering::Relaxed, alone).is_ok()
    }

    /// Notes that somebody asked for its end, and may.
    pub(crate) fn leave(&self) {
        self.ties.fetch_or(ties::LEAVES, Ordering::AcqRel);
    }

    /// Notes that another module comes to depend on it. Returns whether it leaves, and nobody can.
    pub(crate) fn expect_dependent(&self) -> bool {
        self.ties.fetch_or(ties::NEEDED, Ordering::AcqRel) & ties::LEAVES != 0
    }

    /// Notes that `init` was successful, before anything else is done.
    pub(crate) fn note_init(&self) {
        self.ties.fetch_or(ties::INITIALISED, Ordering::Release);
    }

    pub(crate) fn has_initialised(&self) -> bool {
        self.ties.load(Ordering::Acquire) & ties::INITIALISED != 0
    }

    /// Notes that nothing is left to be done before it runs.
    pub(crate) fn note_start(&self) {
        self.ties.fetch_or(ties::STARTED, Ordering::Release);
    }

    pub(crate) fn has_started(&self) -> bool {
        self.ties.load(Ordering::Acquire) & ties::STARTED != 0
    }

    /// Shows that a running module is to stop.
    pub(crate) fn begin_stopping(&self) {
        let (running, stopping) = (ModuleState::Running as u8, ModuleState::Stopping as u8);
        if self.state.compare_exchange(running, stopping, Ordering::SeqCst, Ordering::Relaxed).is_ok() {
            #[cfg(feature = "observe")]
            life_log::changed(self, ModuleState::Running, ModuleState::Stopping);
            self.wake_watchers();
        }
    }

    #[inline]
    pub(crate) fn has(&self, bits: u16) -> bool {
        self.control.load(Ordering::Acquire) & bits != 0
    }

    /// Tells the worker something, under the lock of the mailbox. Gives what it had been told before.
    pub(crate) fn tell(&self, bits: u16) -> u16 {
        let before = self.control.load(Ordering::Relaxed);
        self.control.store(before | bits, Ordering::Release);
        before
    }

    /// Forgets what the worker was told, under the lock of the mailbox.
    pub(crate) fn untell(&self, bits: u16) {
        self.control.store(self.control.load(Ordering::Relaxed) & !bits, Ordering::Release);
    }

    /// Whether it has been told to stop or drain.
    #[inline]
    pub(crate) fn is_ending(&self) -> bool {
        self.has(control::ENDS)
    }

    /// Whether it has been told anything.
    #[inline]
    pub(crate) fn is_told(&self) -> bool {
        self.control.load(Ordering::Acquire) != 0
    }

    /// Notes that it is built again when it fails.
    pub(crate) fn supervise(&self) {
        self.ties.fetch_or(ties::SUPERVISED, Ordering::Relaxed);
    }

    /// Whether it is built again when it fails.
    pub(crate) fn is_supervised(&self) -> bool {
        self.ties.load(Ordering::Relaxed) & ties::SUPERVISED != 0
    }

    /// Notes that it runs, and may be told to begin again with others.
    pub(crate) fn may_follow(&self) {
        self.ties.fetch_or(ties::FOLLOWS, Ordering::Relaxed);
    }

    /// Whether it may be told to begin again with others.
    pub(crate) fn follows(&self) -> bool {
        let ties = self.ties.load(Ordering::Relaxed);
        ties & ties::FOLLOWS != 0 || ties & ties::SUPERVISED != 0 && self.state() >= ModuleState::Running
    }

    /// Takes what says that the module is to begin again with another one.
    pub(crate) fn take_ticket(&self) -> Option<Ticket> {
        self.end.lock().rest.as_mut().and_then(|rest| rest.ticket.take())
    }

    /// Leaves what says that the module is to begin again with another one. Under the lock of the mailbox.
    pub(crate) fn leave_ticket(&self, ticket: Ticket) {
        self.end.lock().rest.get_or_insert_default().ticket = Some(ticket);
    }

    /// What is restarted with the module.
    pub(crate) fn strategy(&self) -> Strategy {
        self.environment.host().map(|host| host.strategy(self.parent())).unwrap_or_default()
    }

    /// Notes that another value may take its place.
    pub(crate) fn take_reloads(&self) {
        self.ties.fetch_or(ties::RELOADS, Ordering::Relaxed);
    }

    /// Whether another value may take its place.
    pub(crate) fn takes_reloads(&self) -> bool {
        self.ties.load(Ordering::Relaxed) & ties::RELOADS != 0
    }

    /// Whether there may be more than one incarnation of it.
    pub(crate) fn is_renewed(&self) -> bool {
        self.ties.load(Ordering::Relaxed) & (ties::SUPERVISED | ties::RELOADS) != 0
    }

    /// Leaves what says that another value is to take the module's place. Under the lock of the mailbox.
    pub(crate) fn leave_order(&self, order: Box<dyn Any + Send>) {
        self.end.lock().reload_mut().order = Some(order);
    }

    /// Takes what says that another value is to take the module's place.
    pub(crate) fn take_order(&self) -> Option<Box<dyn Any + Send>> {
        self.take_order_if(|_| true)
    }

    /// As [`take_order`](Self::take_order), if `wanted` holds of it.
    pub(crate) fn take_order_if(&self, wanted: impl FnOnce(&(dyn Any + Send)) -> bool) -> Option<Box<dyn Any + Send>> {
        let mut end = self.end.lock();
        end.rest.as_mut()?.reload.as_mut()?.order.take_if(|order| wanted(&**order))
    }

    /// Notes that another value is brought up, to take the place of the one whose children these are.
    pub(crate) fn begin_change(&self, elders: Elders) {
        self.end.lock().reload_mut().change =
            Some(Change { elders, is_made: false, is_given_up: false, failure: None, timers: Vec::new() });
    }

    /// Whether there are both, the old one and the new one.
    pub(crate) fn is_changing(&self) -> bool {
        self.elders().is_some()
    }

    /// The children of the old one, where there is a new one too.
    pub(crate) fn elders(&self) -> Option<Elders> {
        self.end.lock().reload().and_then(|reload| Some(reload.change.as_ref()?.elders))
    }

    /// Which incarnation fails of this one. Under the lock of the mailbox.
    pub(crate) fn side_of(&self, culprit: Culprit) -> Side {
        let end = self.end.lock();
        let change = end.reload().and_then(|reload| reload.change.as_ref());
        let is_made = change.is_some_and(|change| change.is_made);
        let other = if is_made { Side::Gone } else { Side::Next };
        match culprit {
            Culprit::Incarnation(number) if number == end.incarnation() => Side::Running,
            Culprit::Incarnation(number) if change.is_some() && number > end.incarnation() => Side::Next,
            Culprit::Incarnation(_) => Side::Gone,
            // Before the change is made the elders are those of the one that runs, and then they are not.
            Culprit::Child(child) if change.is_some_and(|change| change.elders.has(child) == is_made) => other,
            Culprit::Child(_) => Side::Running,
        }
    }

    /// Notes that the one that is brought up has failed of this. Returns whether that is why it does not run.
    pub(crate) fn fail_next(&self, failure: Failure) -> bool {
        match &mut self.end.lock().reload_mut().change {
            Some(change) if change.failure.is_none() && !change.is_given_up => {
                change.failure = Some(failure);
                true
            }
            _ => false,
        }
    }

    /// Notes that the one that is brought up does not take the place: what it fails of from here on nobody asks. Gives what it has failed of before.
    pub(crate) fn give_next_up(&self) -> Option<Failure> {
        let mut end = self.end.lock();
        let change = end.reload_mut().change.as_mut()?;
        change.is_given_up = true;
        change.failure.clone()
    }

    /// What the one has failed of that is brought up.
    pub(crate) fn next_failure(&self) -> Option<Failure> {
        self.end.lock().reload().and_then(|reload| reload.change.as_ref()?.failure.clone())
    }

    /// Notes what the running code of the module asked of the timers: where it is that of one that is brought up, it goes with that one.
    #[cold]
    pub(crate) fn note_timer(&self, key: Key) {
        if let Some(reload) = self.end.lock().rest.as_mut().and_then(|rest| rest.reload.as_mut())
            && let Some(change) = reload.change.as_mut().filter(|change| !change.is_made)
        {
            change.timers.push(key);
        }
    }

    /// Stops what the one that was brought up asked of the timers.
    pub(crate) fn forget_timers_of_next(&self) {
        let timers = self.end.lock().reload_mut().change.as_mut().map(|change| mem::take(&mut change.timers));
        for key in timers.into_iter().flatten() {
            self.environment.timers.stop(key);
        }
    }

    /// Notes that only one of them is left.
    pub(crate) fn end_change(&self) {
        self.end.lock().reload_mut().change = None;
    }

    /// Counts the next incarnation, of the type that says this of itself: it has been brought up. Under the lock of the mailbox.
    pub(crate) fn swap(&self, info: &'static ModuleInfo) {
        let mut end = self.end.lock();
        let reload = end.reload_mut();
        reload.count = reload.count.saturating_add(1);
        if let Some(change) = &mut reload.change {
            change.is_made = true;
        }
        // What a value says of itself instead of its type is asked once.
        reload.shown_info = (info != self.info).then_some(info);
    }

    /// Which incarnation begins: the one that is brought up, where one is; else as [`incarnation`](Self::incarnation).
    pub(crate) fn incarnation_that_begins(&self) -> u32 {
        if !self.is_renewed() {
            return 1;
        }
        let end = self.end.lock();
        let change = end.reload().and_then(|reload| reload.change.as_ref());
        end.incarnation().saturating_add(u32::from(change.is_some_and(|change| !change.is_made)))
    }

    /// Which incarnation runs, or is to come: from 1.
    pub(crate) fn incarnation(&self) -> u32 {
        if !self.is_renewed() {
            return 1;
        }
        self.end.lock().incarnation()
    }

    /// Forgets that the running incarnation is to end, and why. Under the lock of the mailbox.
    pub(crate) fn forget_renewal(&self) -> Option<Failure> {
        let mut end = self.end.lock();
        self.verdict.fetch_and(!verdict::FAILED, Ordering::Release);
        let told = self.control.load(Ordering::Relaxed) & !(control::RENEW | control::CUT);
        self.control.store(told, Ordering::Release);
        end.rest.as_mut().and_then(|rest| rest.failure.take())
    }

    /// Counts the next incarnation, and forgets what the one before failed of. Under the lock of the mailbox.
    pub(crate) fn begin_again(&self) -> Option<Failure> {
        let failure = self.forget_renewal();
        let mut end = self.end.lock();
        let rest = end.rest.get_or_insert_default();
        rest.restarts = rest.restarts.saturating_add(1);
        failure
    }

    #[inline]
    pub(crate) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    /// Where it is noted what runs, for those who look for what does not end; from the first call on.
    pub(crate) fn notes_running(&self) -> Running {
        let mut end = self.end.lock();
        Arc::clone(end.rest.get_or_insert_default().running.get_or_insert_with(|| Arc::new(Mutex::new("init"))))
    }

    /// What runs, or ran last, where somebody looks for it.
    pub(crate) fn running(&self) -> Option<&'static str> {
        let running = self.end.lock().rest.as_ref().and_then(|rest| rest.running.clone())?;
        let name = *running.lock();
        Some(name)
    }

    /// What the module has in hand, if that is known: a message, or a hook. A module that is stopped while it waits for others has nothing in hand.
    pub(crate) fn in_hand(&self) -> Option<InHand> {
        let name = self.running()?;
        let state = self.state();
        let is_hook = match state {
            ModuleState::Init => matches!(name, "init" | "restore"),
            ModuleState::Start => name == "start",
            ModuleState::Stopping => name == "stop",
            ModuleState::Created | ModuleState::Running | ModuleState::Stopped | ModuleState::Failed => false,
        };
        let has_any = is_hook || self.is_busy.load(Ordering::Relaxed);
        has_any.then(|| InHand { name, begun: self.begun(), state, incarnation: self.incarnation() })
    }

    /// How many messages have begun: the position of the one in hand, plus one.
    pub(crate) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Takes back that the last message has begun: it is to begin again. The worker alone writes the count while its mailbox is open.
    pub(crate) fn take_back_begun(&self) {
        self.begun.store(self.begun().saturating_sub(1), Ordering::Release);
    }

    /// Counts messages that begin; gives the position of the first. The worker alone writes the count while its mailbox is open.
    #[inline]
    pub(crate) fn count_begun(&self, count: usize) -> u64 {
        let position = self.begun.load(Ordering::Relaxed);
        self.begun.store(position + count as u64, Ordering::Release);
        position
    }

    /// Notes that no message is in hand: the last one has been answered, if its asker has not seen it yet.
    pub(crate) fn put_down(&self) {
        self.detached.store(true, Ordering::Release);
        self.is_busy.store(false, Ordering::Relaxed);
    }

    /// Notes that the reply of the message in hand may be given to another task.
    pub(crate) fn detach(&self) {
        self.detached.store(true, Ordering::Release);
        self.detaches.store(true, Ordering::Release);
    }

    /// Whether a wake of `waker` polls the worker from its root.
    #[inline]
    pub(crate) fn is_root(&self, waker: &Waker) -> bool {
        self.waker.get().is_some_and(|root| root.will_wake(waker))
    }

    /// Keeps the first failure: it is the cause of those that follow. One that comes after the end is none. Returns whether it is kept.
    pub(crate) fn fail(&self, failure: Failure) -> bool {
        let mut end = self.end.lock();
        if self.verdict.load(Ordering::Acquire) == verdict::FINAL {
            return false;
        }
        let rest = end.rest.get_or_insert_default();
        if matches!(failure, Failure::Panic { .. }) {
            rest.counts.count_panic();
        }
        let is_first = rest.failure.is_none();
        rest.failure.get_or_insert(failure);
        // The end may have come meanwhile, which took no lock where there was no failure.
        let is_over = self.verdict.fetch_or(verdict::FAILED, Ordering::AcqRel) == verdict::FINAL;
        if is_over {
            self.verdict.store(verdict::FINAL, Ordering::Release);
            end.rest.get_or_insert_default().failure = None;
        }
        is_first && !is_over
    }

    #[inline]
    pub(crate) fn failure(&self) -> Option<Failure> {
        if self.verdict.load(Ordering::Acquire) & verdict::FAILED != 0 { self.kept_failure() } else { None }
    }

    /// As [`failure`](Self::failure), for good: from now on there comes none.
    #[inline]
    pub(crate) fn last_failure(&self) -> Option<Failure> {
        let before = self.verdict.fetch_or(verdict::FINAL, Ordering::AcqRel);
        if before & verdict::FAILED != 0 { self.kept_failure() } else { None }
    }

    #[cold]
    fn kept_failure(&self) -> Option<Failure> {
        self.end.lock().rest.as_ref().and_then(|rest| rest.failure.clone())
    }

    /// Writes down something of the module's health.
    pub(super) fn with_health<R>(&self, write: impl FnOnce(&mut Health) -> R) -> R {
        write(self.end.lock().rest.get_or_insert_default().health.get_or_insert_default())
    }

    /// As [`with_health`](Self::with_health), where anything has been written down.
    pub(super) fn look_at_health<R>(&self, look: impl FnOnce(&mut Health) -> R) -> Option<R> {
        self.end.lock().rest.as_mut().and_then(|rest| rest.health.as_mut()).map(|health| look(health))
    }

    pub(crate) fn count_undelivered(&self, count: usize) {
        if count > 0 {
            self.undelivered.fetch_add(count as u64, Ordering::Relaxed);
        }
    }

    /// Counts delayed messages that can come no more.
    #[cold]
    pub(crate) fn count_unsent(&self, count: usize) {
        if count > 0 {
            // Under the lock, so that each message is seen in one place.
            let mut end = self.end.lock();
            end.rest.get_or_insert_default().counts.count_unsent(count);
            self.count_undelivered(count);
        }
    }

    /// Counts a panic that is no failure of this kind.
    #[cfg(feature = "observe")]
    pub(crate) fn count_panic(&self) {
        self.end.lock().rest.get_or_insert_default().counts.count_panic();
    }

    /// What `count` makes of what is counted here.
    #[cfg(feature = "observe")]
    pub(super) fn counted(&self, count: impl FnOnce(&EndCounts, u64) -> Counted) -> Counted {
        let end = self.end.lock();
        let rest = end.rest.as_deref();
        let none = EndCounts::default();
        let mut counted = count(rest.map_or(&none, |rest| &rest.counts), self.undelivered.load(Ordering::Relaxed));
        counted.counters.restarts = rest.map_or(0, |rest| u64::from(rest.restarts));
        counted.counters.reloads = end.reload().map_or(0, |reload| u64::from(reload.count));
        counted
    }

    /// Stops the module's timers; messages that were to come are undelivered.
    pub(crate) fn forget_timers(&self) {
        if self.is_timed.load(Ordering::Acquire) {
            self.count_unsent(self.environment.timers.forget(self.id, self.detaches.load(Ordering::Acquire)));
        }
    }

    pub(crate) fn report(&self) -> ModuleReport {
        ModuleReport {
            name: self.module_name(),
            id: self.id,
            state: self.state(),
            undelivered: self.undelivered.load(Ordering::Relaxed),
            failure: self.failure(),
        }
    }

    /// Waits until `reached` holds of the state.
    pub(crate) fn wait_until<F: Fn(ModuleState) -> bool + Unpin>(&self, reached: F) -> Reaching<'_, F> {
        Reaching::new(self, reached)
    }
}

/// A module of any type.
pub(crate) trait AnyCell: Any + Send + Sync {
    fn core(&self) -> &Core;

    /// The module's type, with its path and parameters.
    fn type_name(&self) -> &'static str;

    /// Messages that wait, the rest of the batch in hand among them.
    fn depth(&self) -> usize;

    /// Messages that wait, and the one that is handled.
    fn load(&self) -> usize;

    /// What is counted of its messages.
    #[cfg(feature = "observe")]
    fn counted(&self) -> Counted;

    /// Lets waiting senders in as far as there is room.
    fn admit(&self);

    /// Sets `bits` of the control, which the worker takes back itself.
    fn tell(&self, bits: u16);

    /// Whether nobody is admitted any more.
    fn is_closed(&self) -> bool;

    /// Refuses all but stop hooks from now on, drops what is queued as undelivered, and sets `bits` of the control.
    fn quiesce(&self, bits: u16);

    /// Refuses all but stop hooks from now on, and lets what is queued be handled before the module stops.
    fn begin_drain(&self);

    /// Ends the running incarnation of the module, which has failed of this: the module with it, unless it is built again. Nothing happens where it was another
    /// incarnation that failed, or a child did and the module is ending already. Returns whether this is what it fails of: nothing was before.
    fn break_off(&self, culprit: Culprit, failure: Failure) -> bool;

    /// As [`break_off`](Self::break_off), at once: the running handler or hook is dropped at its next poll, instead of being waited for, and no `stop` hook runs. It
    /// works as well where the module is ending already.
    fn cut_off(&self, incarnation: u32, failure: Failure);

    /// Ends the running incarnation, to begin again with `conductor`. False where the module is not built again, or is ending.
    fn suspend(&self, conductor: ModuleName, ticket: Ticket) -> bool;

    /// Wakes askers whose deadline has come. Returns whether any are left to look at.
    fn sweep(&self, sweeps: u32) -> bool;

    /// Ends all asks that the sweeps look after.
    fn abandon_asks(&self);

    /// Asks the module by the name of a handler.
    #[cfg(feature = "wire")]
    fn request(self: Arc<Self>, request: Request, timeout: Timeout) -> Result<Answering, RequestError>;

    /// What can be asked of the module by name.
    #[cfg(feature = "wire")]
    fn describe_requests(&self) -> serde_json::Value;

    /// Whether the module takes requests that no handler has the name of.
    #[cfg(feature = "wire")]
    fn takes_any_request(&self) -> bool;
}

impl<T: Module> Cell<T> {
    /// Looks whether the message whose handling has just ended is one that is measured.
    #[inline]
    pub(crate) fn notice_end(&self) {
        if self.core.noted.is_due(self.core.begun.load(Ordering::Relaxed)) {
            self.mailbox.measure_end(&self.core);
        }
    }
}

impl<T: Module> AnyCell for Cell<T> {
    fn core(&self) -> &Core {
        &self.core
    }

    fn type_name(&self) -> &'static str {
        type_name::<T>()
    }

    fn depth(&self) -> usize {
        self.mailbox.depth(&self.core)
    }

    fn load(&self) -> usize {
        self.mailbox.load(&self.core)
    }

    #[cfg(feature = "observe")]
    fn counted(&self) -> Counted {
        self.mailbox.counted(&self.core)
    }

    fn admit(&self) {
        self.mailbox.admit(&self.core);
    }

    fn tell(&self, bits: u16) {
        self.mailbox.tell(&self.core, bits);
    }

    fn is_closed(&self) -> bool {
        self.mailbox.is_closed()
    }

    fn quiesce(&self, bits: u16) {
        self.mailbox.quiesce(&self.core, bits);
    }

    fn begin_drain(&self) {
        self.mailbox.begin_drain(&self.core);
    }

    fn suspend(&self, conductor: ModuleName, ticket: Ticket) -> bool {
        self.core.follows() && self.mailbox.suspend(&self.core, conductor, ticket)
    }

    fn break_off(&self, culprit: Culprit, failure: Failure) -> bool {
        if self.core.is_renewed() {
            self.mailbox.break_off(&self.core, culprit, failure)
        } else if culprit.is_child() && self.core.is_ending() {
            false
        } else {
            let is_cause = self.core.fail(failure);
            self.quiesce(control::STOP);
            is_cause
        }
    }

    fn cut_off(&self, incarnation: u32, failure: Failure) {
        if self.mailbox.cut_off(&self.core, incarnation, failure) {
            self.quiesce(control::STOP);
        }
    }

    fn sweep(&self, sweeps: u32) -> bool {
        self.mailbox.sweep(sweeps)
    }

    fn abandon_asks(&self) {
        self.mailbox.abandon_askers(&self.core);
    }

    #[cfg(feature = "wire")]
    fn request(self: Arc<Self>, request: Request, timeout: Timeout) -> Result<Answering, RequestError> {
        let cell: Arc<dyn Any + Send + Sync> = self;
        let Ok(cell) = cell.downcast::<Cell<Owner<T>>>() else { unreachable!("an owner of messages is its own owner") };
        remote::request::<T>(cell, request, timeout)
    }

    #[cfg(feature = "wire")]
    fn describe_requests(&self) -> serde_json::Value {
        remote::describe::<T>()
    }

    #[cfg(feature = "wire")]
    fn takes_any_request(&self) -> bool {
        T::ON_REQUEST.is_some()
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("name", &self.name()).field("state", &self.state()).finish_non_exhaustive()
    }
}
