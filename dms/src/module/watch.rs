//! Waiting for a module to come to a state.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, Waker};

use super::cell::Core;
use super::lifecycle::ModuleState;

/// Who waits for the next change. Nearly always nobody, or who stops the module.
#[derive(Default)]
pub(crate) struct Watchers {
    list: Vec<(u32, Waker)>,
    last_key: u32,
}

impl Watchers {
    /// Takes all of them, to be woken once the lock is free.
    pub(crate) fn take(&mut self) -> Woken {
        Woken(mem::take(&mut self.list))
    }

    fn note(&mut self, key: &mut Option<u32>, waker: &Waker) {
        match self.list.iter_mut().find(|(other, _)| Some(*other) == *key) {
            Some((_, known)) => known.clone_from(waker),
            None => {
                self.last_key = self.last_key.wrapping_add(1);
                *key = Some(self.last_key);
                self.list.push((self.last_key, waker.clone()));
            }
        }
    }

    fn forget(&mut self, key: u32) {
        self.list.retain(|(other, _)| *other != key);
    }
}

/// Watchers of a change that has been.
#[must_use]
pub(crate) struct Woken(Vec<(u32, Waker)>);

impl Woken {
    pub(crate) fn wake(self) {
        self.0.into_iter().for_each(|(_, waker)| waker.wake());
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
        // The state changes under this lock, so no change is missed between the look and the note.
        let mut end = this.core.end.lock();
        let state = this.core.state();
        if (this.reached)(state) {
            return Poll::Ready(state);
        }
        end.watchers.note(&mut this.key, cx.waker());
        Poll::Pending
    }
}

impl<F> Drop for Reaching<'_, F> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.core.end.lock().watchers.forget(key);
        }
    }
}
