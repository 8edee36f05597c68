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
        let state = this.core.state();
        if (this.reached)(state) {
            // Whoever changed the state takes all watchers.
            this.key = None;
            return Poll::Ready(state);
        }
        if let Some(key) = this.key.replace(this.core.watch(cx.waker())) {
            this.core.forget_watcher(key);
        }
        // Noted before this second look, so that no change is missed between the two.
        let state = this.core.state();
        if (this.reached)(state) { Poll::Ready(state) } else { Poll::Pending }
    }
}

impl<F> Drop for Reaching<'_, F> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.core.forget_watcher(key);
        }
    }
}
