//! How a handler reaches the system around its module.

use super::pool::RegisterPool;
use super::published::Published;
use super::register::Register;
use super::registry::Shared;
use super::system::SystemRef;
use crate::module::{Context, Module, ModuleRef};
use std::any::Any;
use std::sync::Arc;

impl<T: Module> Context<T> {
    /// The system that this module belongs to.
    #[must_use]
    pub fn system(&self) -> SystemRef {
        let host: Option<Arc<dyn Any + Send + Sync>> = self.cell.core.environment.host().map(|host| host as _);
        // The one host there is; a system that is gone gives a reference that finds nothing.
        host.and_then(|host| host.downcast::<Shared>().ok())
            .map_or_else(SystemRef::gone, |shared| SystemRef::new(&shared))
    }

    /// Publishes an event in this module's system: see [`SystemRef::publish`].
    pub fn publish<E: Send + Sync + 'static>(&self, event: E) -> Published {
        self.system().publish(event)
    }

    /// Registers a child of this module, which is stopped with it, before its own `stop` hook.
    pub fn register_module<C: Module>(&self, child: C) -> Register<C> {
        self.supervisor().register_module(child)
    }

    /// As [`SystemRef::register_with`], for a child of this module.
    pub fn register_with<C: Module>(&self, make: impl Fn(ModuleRef<C>) -> C + Send + 'static) -> Register<C> {
        self.supervisor().register_with(make)
    }

    /// As [`SystemRef::register_pool`], for children of this module.
    pub fn register_pool<C: Module>(
        &self,
        count: usize,
        make: impl FnMut(usize) -> C + Send + 'static,
    ) -> RegisterPool<C> {
        RegisterPool::new(self.system(), count, Box::new(make), Some(self.id()))
    }
}
