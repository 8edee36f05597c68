//! Which module the running code belongs to.
//!
//! The worker lays its module into a thread-local before it polls it and takes it out after, so that an ask finds its asker
//! without being told (contract M4, M5) and code in a spawned task finds none. What a module is about is in its [`Core`].

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use super::cell::{AnyCell, Core};
use super::deadline::Deadline;
use super::deadlock::{EdgeGuard, On};
use super::reply::NoAnswer;

thread_local! {
    static CURRENT: RefCell<Current> = const { RefCell::new(Current { module: None, runs: Vec::new() }) };
    static DISCARDING: Cell<Option<NoAnswer>> = const { Cell::new(None) };
}

struct Current {
    module: Option<Arc<dyn AnyCell>>,
    /// The handlers that run on this thread in their asker's place, inside each other; the last is the module's.
    runs: Vec<Run>,
}

/// A handler that its asker runs.
struct Run {
    /// Whose code asked, if it is a module's.
    asker: Option<Arc<dyn AnyCell>>,
    /// Where the message would stand in the queue.
    position: u64,
    /// That the asker waits for the handler. Noted only when the handler itself begins to wait, which hardly any does.
    edge: Option<EdgeGuard>,
}

/// Lays a module in while it lives; nests.
pub(crate) struct Entered<'a> {
    slot: &'a mut Option<Arc<dyn AnyCell>>,
}

impl<'a> Entered<'a> {
    #[inline]
    pub(crate) fn new(slot: &'a mut Option<Arc<dyn AnyCell>>) -> Self {
        CURRENT.with_borrow_mut(|current| std::mem::swap(&mut current.module, slot));
        Self { slot }
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|current| std::mem::swap(&mut current.module, self.slot));
    }
}

/// Runs the handler of `module` in its asker's place.
#[inline]
pub(crate) fn run<R>(
    module: &mut Option<Arc<dyn AnyCell>>,
    position: u64,
    handler: impl FnOnce() -> R,
) -> thread::Result<R> {
    CURRENT.with_borrow_mut(|current| {
        let asker = std::mem::replace(&mut current.module, module.take());
        current.runs.push(Run { asker, position, edge: None });
    });
    let result = panic::catch_unwind(AssertUnwindSafe(handler));
    let edge = CURRENT.with_borrow_mut(|current| {
        let run = current.runs.pop()?;
        *module = std::mem::replace(&mut current.module, run.asker);
        run.edge
    });
    drop(edge);
    result
}

/// How many handlers run on this thread in their asker's place, and when the caller of the innermost code gives up, for one that asks
/// `asked`. `None` while the thread ends.
#[inline]
pub(crate) fn runs(asked: &Core) -> Option<(usize, Deadline)> {
    let look = |current: &RefCell<Current>| {
        let current = current.borrow();
        let deadline = current.module.as_ref().map_or(Deadline::NEVER, |asker| asker.core().deadline_for(asked));
        (current.runs.len(), deadline)
    };
    CURRENT.try_with(look).ok()
}

/// Notes who waits for the handlers that run here in their asker's place, of which the innermost, that of `owner`, is about to wait.
#[cold]
pub(crate) fn note_askers(owner: &Arc<dyn AnyCell>) {
    CURRENT.with_borrow_mut(|current| {
        let mut target = owner;
        for Run { asker, position, edge } in current.runs.iter_mut().rev() {
            let Some(asker) = asker else { return };
            if edge.is_none() && asker.core().is_in_handler() {
                *edge = Some(EdgeGuard::unchecked(Arc::clone(asker), Arc::clone(target), On::Reply(*position)));
            }
            target = asker;
        }
    });
}

/// Looks at the module that runs, if one does.
#[inline]
pub(crate) fn with<R>(look: impl FnOnce(Option<&Arc<dyn AnyCell>>) -> R) -> R {
    let mut look = Some(look);
    let seen = CURRENT.try_with(|current| look.take().map(|look| look(current.borrow().module.as_ref())));
    // While the thread ends there is nothing to look at, and no module runs.
    match (seen, look) {
        (Ok(Some(result)), _) => result,
        (_, Some(look)) => look(None),
        (_, None) => unreachable!("`look` is either called or left"),
    }
}

/// Whether the running code is a handler, a hook or the loop of the module at `address`.
pub(crate) fn is(address: *const Core) -> bool {
    with(|current| current.is_some_and(|current| std::ptr::eq(current.core(), address)))
}

/// The module whose handler or hook runs, and would be held up by a wait. A loop of its own may wait for several things at once.
pub(crate) fn waiting() -> Option<Arc<dyn AnyCell>> {
    with(|current| current.filter(|current| current.core().is_in_handler()).cloned())
}

/// Whether the running code is a `stop` hook, or answers one.
pub(crate) fn in_stop_hook() -> bool {
    with(|current| current.is_some_and(|current| current.core().answers_stop_hooks()))
}

/// Drops `values` one by one, as [`discard`] does: a second panic in one go would end the process.
pub(crate) fn discard_all<V>(why: NoAnswer, values: impl IntoIterator<Item = V>) {
    for value in values {
        discard(why, value);
    }
}

/// Drops `value`; replies inside end with `why`, and a panicking destructor is contained and reported.
pub(crate) fn discard<V>(why: NoAnswer, value: V) {
    drop_with(why, "an undelivered message", move || drop(value));
}

/// As [`discard`], of what `drop` drops where it is, named `what` in logs.
pub(crate) fn drop_with(why: NoAnswer, what: &str, drop: impl FnOnce()) {
    let before = DISCARDING.replace(Some(why));
    if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(drop)) {
        tracing::error!(text = super::worker::panic_text(&*panic), "{what} panicked when it was dropped");
    }
    DISCARDING.set(before);
}

/// Why replies that are dropped now end.
pub(crate) fn discarding() -> Option<NoAnswer> {
    DISCARDING.get()
}
