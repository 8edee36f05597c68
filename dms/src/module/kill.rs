//! Ending a module at once: its running handler does not come to its end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use super::cell::AnyCell;
use super::deadlock::EdgeGuard;
use super::lifecycle::{Failure, ModuleReport, ModuleState};
use super::stop;
use super::watch;

/// The forced end of a module, to be awaited: what [`ModuleRef::kill`](crate::ModuleRef::kill) gives.
///
/// # Cancel safety
/// Once polled the module is killed, whether or not this is awaited to its end. Polled again after it was ready, it says the same.
#[must_use = "nothing is killed until this is awaited"]
pub struct Kill {
    module: Arc<dyn AnyCell>,
    begun: Option<Begun>,
    /// Whether the module's state is watched.
    key: Option<u32>,
}

struct Begun {
    /// The one that is killed, if its end can be waited for.
    incarnation: Option<u32>,
    /// The module that asks waits for that.
    _edges: Vec<EdgeGuard>,
}

impl Kill {
    pub(crate) fn new(module: Arc<dyn AnyCell>) -> Self {
        Self { module, begun: None, key: None }
    }
}

impl Future for Kill {
    type Output = ModuleReport;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<ModuleReport> {
        let Self { module, begun, key } = self.get_mut();
        let core = module.core();
        let begun = begun.get_or_insert_with(|| {
            let (waits, edges) = stop::wait_for(std::slice::from_ref(module));
            let incarnation = core.incarnation();
            module.cut_off(incarnation, Failure::Killed);
            Begun { incarnation: waits.then_some(incarnation), _edges: edges }
        });
        if let Some(incarnation) = begun.incarnation {
            let is_over = |state: ModuleState| state.is_ended() || core.incarnation() != incarnation;
            ready!(watch::poll_reached(core, key, is_over, cx));
        }
        Poll::Ready(core.report())
    }
}

impl Drop for Kill {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.module.core().forget_watcher(key);
        }
    }
}

impl fmt::Debug for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kill").field("module", &self.module.core().name()).finish_non_exhaustive()
    }
}
