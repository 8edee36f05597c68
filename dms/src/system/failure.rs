//! The failure of a system: that of a module it cannot do without.

use std::pin::pin;
use std::sync::Arc;

use super::registry::Shared;
use super::shutdown;
use super::system::SystemRef;
use crate::module::{Failure, ModuleName};

/// A module failed that the system cannot do without, and so did the system: it shuts down. The module is [essential](crate::ModuleFlags::ESSENTIAL), or has failed
/// more often than its [restarts](crate::recovery::Restart) allow and has no parent that could be started again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("module `{module}` failed, and the system with it, which shuts down")]
#[non_exhaustive]
pub struct SystemFailure {
    /// The module's name.
    pub module: ModuleName,
    /// What it failed of.
    #[source]
    pub failure: Failure,
}

impl SystemRef {
    /// The failure of the system: that of the first module that failed which it cannot do without.
    #[must_use]
    pub fn failure(&self) -> Option<SystemFailure> {
        self.shared().and_then(|shared| shared.shutdown.failure())
    }

    /// Waits until the system fails, and gives the failure; `None` once it has shut down without one.
    ///
    /// A module is essential by its flag. Whatever it fails of once it has run (a panic, the error of a hook or a task, its end though nobody asked for it), the system
    /// fails too. So it does where a module is [started again](crate::recovery::Restart) too often, and none of its parents is, one after the other, that could be started
    /// again itself. It shuts down then, and its [report](crate::ShutdownReport::failure) has the failure too.
    ///
    /// ```
    /// # use dms::prelude::*;
    /// #[module(name = "disk", flags(ESSENTIAL))]
    /// struct Disk;
    ///
    /// #[module]
    /// impl Disk {
    ///     #[handler(Seek)]
    ///     fn seek(&mut self) {
    ///         panic!("no disk");
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new();
    /// let disk = system.register_module(Disk).await?;
    /// disk.send(Seek).await?;
    /// let failure = system.failed().await.unwrap();
    /// assert_eq!(failure.module, "disk");
    /// assert_eq!(failure.failure.to_string(), "panicked in `seek`: no disk");
    /// assert_eq!(system.shutdown().await.failure, Some(failure));
    /// # Ok(()) }
    /// ```
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn failed(&self) -> Option<SystemFailure> {
        match self.shared() {
            Some(shared) => failed(&shared).await,
            None => None,
        }
    }
}

async fn failed(shared: &Arc<Shared>) -> Option<SystemFailure> {
    loop {
        let mut changed = pin!(shared.shutdown.changed());
        changed.as_mut().enable();
        // In this order: what fails does so before the report is there.
        let is_over = shared.shutdown.is_over();
        let failure = shared.shutdown.failure();
        if failure.is_some() || is_over {
            return failure;
        }
        changed.await;
    }
}

/// Takes note of such a failure, and begins the shutdown.
pub(super) fn fail(shared: &Arc<Shared>, failure: SystemFailure) {
    // Of what the module failed, it has said itself.
    tracing::error!(system = shared.name, "{failure}");
    shared.shutdown.fail(failure);
    shutdown::begin(shared, None);
}
