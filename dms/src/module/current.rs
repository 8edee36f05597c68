//! Which module the running code belongs to.
//!
//! The worker lays it into a thread-local before it polls its module and takes it out after, so that an ask finds its asker
//! without being told (contract M4, M5) and code in a spawned task finds none.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::cell::AnyCell;
use super::deadline::Deadline;

/// What of the module runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// A handler, or a hook other than `stop`: what it waits for holds the module up.
    Handler,
    /// A loop of the module's own, which may wait for an answer and its inbox at once.
    Run,
}

/// What is laid in for the time of a poll.
pub(crate) struct Current {
    pub(crate) module: Arc<dyn AnyCell>,
    pub(crate) phase: Phase,
    /// Whether it is the `stop` hook, or a handler that answers one: modules that still run answer it, though they refuse everybody else.
    pub(crate) stopping: bool,
    /// When the caller of the running handler gives up.
    pub(crate) deadline: Deadline,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
    static DISCARDING: Cell<Option<super::reply::NoAnswer>> = const { Cell::new(None) };
}

/// Lays `current` in while it lives; nests.
pub(crate) struct Entered<'a> {
    slot: &'a mut Option<Current>,
}

impl<'a> Entered<'a> {
    pub(crate) fn new(slot: &'a mut Option<Current>) -> Self {
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, slot));
        Self { slot }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, self.slot));
    }
}

/// Looks at the module that runs, if one does.
pub(crate) fn with<R>(look: impl FnOnce(Option<&Current>) -> R) -> R {
    let mut look = Some(look);
    let seen = CURRENT.try_with(|current| look.take().map(|look| look(current.borrow().as_ref())));
    // While the thread ends there is nothing to look at, and no module runs.
    match (seen, look) {
        (Ok(Some(result)), _) => result,
        (_, Some(look)) => look(None),
        (_, None) => unreachable!("`look` is either called or left"),
    }
}

/// Changes what is known of the module that runs.
pub(crate) fn update(change: impl FnOnce(&mut Current)) {
    CURRENT.with_borrow_mut(|current| {
        if let Some(current) = current {
            change(current);
        }
    });
}

/// Whether the running code is a handler, a hook or the loop of the module at `address`.
pub(crate) fn is(address: *const super::cell::Core) -> bool {
    with(|current| current.is_some_and(|current| std::ptr::eq(current.module.core(), address)))
}

/// The module whose handler or hook runs, and would be held up by a wait. A loop of its own may wait for several things at once.
pub(crate) fn waiting() -> Option<Arc<dyn AnyCell>> {
    with(|current| current.filter(|current| current.phase != Phase::Run).map(|current| Arc::clone(&current.module)))
}

/// Whether the running code is a `stop` hook, or answers one.
pub(crate) fn in_stop_hook() -> bool {
    with(|current| current.is_some_and(|current| current.stopping))
}

/// Drops `values` one by one, as [`discard`] does: a second panic in one go would end the process.
pub(crate) fn discard_all<V>(why: super::reply::NoAnswer, values: impl IntoIterator<Item = V>) {
    for value in values {
        discard(why, value);
    }
}

/// Drops `value`; replies inside end with `why`, and a panicking destructor is contained and reported.
pub(crate) fn discard<V>(why: super::reply::NoAnswer, value: V) {
    let before = DISCARDING.replace(Some(why));
    if let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || drop(value))) {
        tracing::error!(
            text = super::worker::panic_text(&*panic),
            "an undelivered message panicked when it was dropped"
        );
    }
    DISCARDING.set(before);
}

/// Why replies that are dropped now end.
pub(crate) fn discarding() -> Option<super::reply::NoAnswer> {
    DISCARDING.get()
}
