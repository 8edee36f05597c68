//! Whose child a new module becomes, as a value that can be handed on.

use std::fmt;

use super::register::{Make, Register};
use super::system::{System, SystemRef};
use crate::module::{Context, Module, ModuleId, ModuleRef};

/// Says whose child a new module becomes: that of a system, which is then a root, or that of a module.
///
/// It is a reference: it keeps neither the system nor the module alive, and what is registered with one whose module is stopping, or gone, is refused. It is for what brings modules to life in
/// the name of another, as a [`ProcessManager`](https://docs.rs/dms/latest/dms/process/struct.ProcessManager.html) does; `&System`, `SystemRef` and `&SystemRef` turn into one, and a module has
/// its own with [`Context::supervisor`].
///
/// ```
/// use dms::prelude::*;
/// use dms::{RegisterError, Supervisor};
///
/// #[module(name = "clock")]
/// struct Clock;
/// #[module]
/// impl Clock {}
///
/// /// Does not care who wants the clock.
/// async fn start_clock(supervisor: impl Into<Supervisor>) -> Result<ModuleRef<Clock>, RegisterError> {
///     supervisor.into().register_module(Clock).await
/// }
///
/// #[module(name = "office")]
/// struct Office;
/// #[module]
/// impl Office {
///     #[init]
///     async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
///         start_clock(ctx.supervisor()).await?;
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// let office = system.register_module(Office).await?;
/// let clock = system.get::<Clock>("clock")?;
/// office.stop().await?;
/// assert!(clock.state().is_ended(), "it went with its parent");
/// start_clock(&system).await?;
/// # system.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Supervisor {
    system: SystemRef,
    /// `None` for the roots of the system.
    parent: Option<ModuleId>,
}

impl Supervisor {
    /// The system that the modules become part of.
    #[must_use]
    pub fn system(&self) -> SystemRef {
        self.system.clone()
    }

    /// The module whose children they become; `None` where they have no parent.
    #[must_use]
    pub fn module(&self) -> Option<ModuleId> {
        self.parent
    }

    /// Registers a module under this supervisor: see [`SystemRef::register_module`].
    pub fn register_module<T: Module>(&self, module: T) -> Register<T> {
        Register::new(&self.system, Make::Value(module), self.parent)
    }

    /// Registers the module that `make` builds under this supervisor: see [`SystemRef::register_with`].
    pub fn register_with<T: Module>(&self, make: impl Fn(ModuleRef<T>) -> T + Send + 'static) -> Register<T> {
        Register::new(&self.system, Make::With(Box::new(make)), self.parent)
    }
}

impl<T: Module> Context<T> {
    /// This module as a supervisor, for what registers its children in its name.
    #[must_use]
    pub fn supervisor(&self) -> Supervisor {
        Supervisor { system: self.system(), parent: Some(self.id()) }
    }
}

impl From<&System> for Supervisor {
    fn from(system: &System) -> Self {
        system.reference().into()
    }
}

impl From<SystemRef> for Supervisor {
    fn from(system: SystemRef) -> Self {
        Self { system, parent: None }
    }
}

impl From<&SystemRef> for Supervisor {
    fn from(system: &SystemRef) -> Self {
        system.clone().into()
    }
}

impl From<&Supervisor> for Supervisor {
    fn from(supervisor: &Supervisor) -> Self {
        supervisor.clone()
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("system", &self.system.name()).field("module", &self.parent).finish()
    }
}
