//! Waiting for a module to come to a state.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, Waker};

use super::cell::Core;
use super::lifecycle::ModuleState;

/// Who waits for the next change of a module's state.
pub(crate) struct Watcher {
    pub(crate) key: u32,
    pub(crate) waker: Waker,
}

impl Watcher {
    pub(crate) fn wake(self) {
        self.waker.wake();
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
        poll_reached(this.core, &mut this.key, &this.reached, cx)
    }
}

/// Ready with the module's state once `reached` holds of it. The key is that of the watcher, to be forgotten where this is not polled again.
pub(crate) fn poll_reached(
    core: &Core,
    key: &mut Option<u32>,
    reached: impl Fn(ModuleState) -> bool,
    cx: &TaskContext<'_>,
) -> Poll<ModuleState> {
    let state = core.state();
    if reached(state) {
        // Whoever changed the state takes all watchers.
        *key = None;
        return Poll::Ready(state);
    }
    if let Some(key) = key.replace(core.watch(cx.waker())) {
        core.forget_watcher(key);
    }
    // Noted before this second look, so that no change is missed between the two.
    let state = core.state();
    if reached(state) { Poll::Ready(state) } else { Poll::Pending }
}

impl<F> Drop for Reaching<'_, F> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.core.forget_watcher(key);
        }
    }
}
