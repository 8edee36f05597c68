//! How a module is, and how others hear that this has changed: [`HealthChanged`].

use std::collections::VecDeque;
use std::mem::discriminant;

use super::cell::Core;
use super::environment::News;
use super::handler::Module;
use super::health_judge::Checks;
use super::lifecycle::{ModuleId, ModuleName};
use super::module_ref::ModuleRef;
use crate::recovery::{HealthSchedule, HealthStatus};

/// The health of a module has changed: by its [checks](macro@crate::health), or because it failed and is started again.
///
/// It is told once for each change between healthy, degraded and unhealthy; a new reason alone is no change. A module that failed and waits to be started again is
/// unhealthy, whether it has checks or not, and healthy once it runs. What ends for good has no health any more: of that, [`Down`](crate::event::Down) tells.
///
/// ```
/// use dms::event::HealthChanged;
/// use dms::prelude::*;
///
/// #[module]
/// struct Pager;
///
/// #[module]
/// impl Pager {
///     #[event]
///     fn on_health(&mut self, change: &HealthChanged) {
///         println!("{}: {}, and was {}", change.module, change.to, change.from);
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthChanged {
    /// The module's name.
    pub module: ModuleName,
    /// The module's id.
    pub id: ModuleId,
    /// How it was.
    pub from: HealthStatus,
    /// How it is.
    pub to: HealthStatus,
}

/// What is known of a module that is not simply healthy, or has checks.
#[derive(Default)]
pub(crate) struct Health {
    status: HealthStatus,
    /// What others are to be told of it, in order.
    changes: VecDeque<HealthChanged>,
    /// Whether somebody is about to tell them.
    is_told: bool,
    /// When it is checked, where that is not what its type says.
    pub(super) schedule: Option<Box<HealthSchedule>>,
    /// What the running incarnation's checks say; `None` where it has none.
    pub(super) checks: Option<Box<Checks>>,
}

impl Health {
    /// Notes how the module is. [`Core::tell_health`] tells others.
    pub(super) fn set(&mut self, core: &Core, to: HealthStatus) {
        if discriminant(&self.status) != discriminant(&to) {
            let (from, to) = (self.status.clone(), to.clone());
            self.changes.push_back(HealthChanged { module: core.module_name(), id: core.id, from, to });
        }
        self.status = to;
    }
}

impl Core {
    /// How the module is.
    pub(crate) fn health(&self) -> HealthStatus {
        if let Some(failure) = self.failure() {
            return HealthStatus::Unhealthy(failure.to_string());
        }
        if self.state().is_ended() {
            return HealthStatus::Unhealthy("it has stopped".to_owned());
        }
        self.look_at_health(|health| health.status.clone()).unwrap_or_default()
    }

    /// Notes how the module is, and tells others where that is another state.
    pub(crate) fn change_health(&self, to: HealthStatus) {
        self.with_health(|health| health.set(self, to));
        self.tell_health();
    }

    /// Tells others what has changed, in order: whoever comes meanwhile leaves it to who tells already.
    pub(super) fn tell_health(&self) {
        let mut is_teller = false;
        loop {
            let change = self.look_at_health(|health| {
                if health.is_told && !is_teller {
                    return None;
                }
                let change = health.changes.pop_front();
                health.is_told = change.is_some();
                change
            });
            let Some(change) = change.flatten() else { return };
            is_teller = true;
            self.environment.announce(News::Health(change));
        }
    }
}

impl<T: Module> ModuleRef<T> {
    /// How the module is, by its latest [checks](macro@crate::health). One without checks is healthy while it runs.
    ///
    /// What has failed is unhealthy with the reason, also while it waits to be started again; and so is what has stopped.
    #[must_use]
    pub fn health(&self) -> HealthStatus {
        self.cell.core.health()
    }
}
