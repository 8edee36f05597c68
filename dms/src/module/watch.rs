//! Waiting for a module to come to a state.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, Waker};

use super::cell::Core;
use super::lifecycle::ModuleState;

/// Who waits for the next change. Nearly always nobody, or the one who stops the module.
#[derive(Default)]
pub(crate) struct Watchers {
    first: Option<Watcher>,
    /// Boxed, for there are none.
    others: Option<Box<Vec<Watcher>>>,
    last_key: u32,
}

struct Watcher {
    key: u32,
    waker: Waker,
}

impl Watchers {
    /// Takes all of them, to be woken once the lock is free.
    pub(crate) fn take(&mut self) -> Woken {
        Woken { first: self.first.take(), others: self.others.take() }
    }

    fn note(&mut self, key: &mut Option<u32>, waker: &Waker) {
        let mut known = self.first.iter_mut().chain(self.others.iter_mut().flat_map(|others| others.iter_mut()));
        if let Some(known) = known.find(|watcher| Some(watcher.key) == *key) {
            known.waker.clone_from(waker);
            return;
        }
        // Not used again soon: a watcher that was woken may still come to be forgotten.
        self.last_key = self.last_key.wrapping_add(1);
        *key = Some(self.last_key);
        let watcher = Watcher { key: self.last_key, waker: waker.clone() };
        if self.first.is_none() {
            self.first = Some(watcher);
        } else {
            self.others.get_or_insert_default().push(watcher);
        }
    }

    fn forget(&mut self, key: u32) {
        if self.first.as_ref().is_some_and(|watcher| watcher.key == key) {
            self.first = None;
        } else if let Some(others) = &mut self.others {
            others.retain(|watcher| watcher.key != key);
        }
    }
}

/// Watchers of a change that has been.
#[must_use]
pub(crate) struct Woken {
    first: Option<Watcher>,
    others: Option<Box<Vec<Watcher>>>,
}

impl Woken {
    pub(crate) fn wake(self) {
        self.first
            .into_iter()
            .chain(self.others.into_iter().flat_map(|others| *others))
            .for_each(|watcher| watcher.waker.wake());
    }
}

/// Ready with the module's state once `reached` holds of it.
pub(crate) struct Reaching<'a, F> {
    core: &'a Core,
    reached: F,
    key: Option<u32>,
}

impl<'a, F: Fn(ModuleState) -> bool + Unpin> Reaching<'a, F> {
    pub(crate) fn new(core: &'a Core, reached: F) -> Self {
        Self { core, reached, key: None }
    }
}

impl<F: Fn(ModuleState) -> bool + Unpin> Future for Reaching<'_, F> {
    type Output = ModuleState;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<ModuleState> {
        let this = &mut *self;
        let state = this.core.state();
        if (this.reached)(state) {
            // Whoever changed the state takes all watchers.
            this.key = None;
            return Poll::Ready(state);
        }
        this.core.watch(|watchers| watchers.note(&mut this.key, cx.waker()));
        // Noted before this second look, so that no change is missed between the two.
        let state = this.core.state();
        if (this.reached)(state) { Poll::Ready(state) } else { Poll::Pending }
    }
}

impl<F> Drop for Reaching<'_, F> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.core.watch(|watchers| watchers.forget(key));
        }
    }
}
