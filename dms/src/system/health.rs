//! How all modules of a system are: [`HealthReport`].

use std::collections::BTreeMap;
use std::fmt;

use super::system::SystemRef;
use crate::module::{ModuleId, ModuleState};
use crate::recovery::{HealthStatus, HealthSummary};

/// How a system is: its modules as a tree, each with its children.
///
/// It is what [`SystemRef::health`] gives, can be serialised with the feature `observe` or `wire`, and is drawn as text:
///
/// ```text
/// shop: degraded: stock: nearly full; 75 % of 4 modules are healthy
/// ├─ orders: degraded: stock: nearly full
/// │  ├─ stock: degraded: nearly full
/// │  └─ prices: healthy
/// └─ mail: healthy
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(any(feature = "observe", feature = "wire"), derive(serde::Serialize))]
#[non_exhaustive]
pub struct HealthReport {
    /// The system's name.
    pub system: String,
    /// The worst of all modules. What is wrong with one is told with its name before it.
    pub status: HealthStatus,
    /// How many modules are how well themselves, whatever their children are.
    pub summary: HealthSummary,
    /// How many of a hundred modules are healthy themselves, rounded down.
    pub percent: u8,
    /// The modules without a parent, in the order of registration.
    pub modules: Vec<ModuleHealth>,
}

/// How a module is, and its children are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(any(feature = "observe", feature = "wire"), derive(serde::Serialize))]
#[non_exhaustive]
pub struct ModuleHealth {
    /// The module's id.
    #[cfg_attr(any(feature = "observe", feature = "wire"), serde(serialize_with = "id_as_number"))]
    pub id: ModuleId,
    /// The module's name.
    pub name: String,
    /// Where it is in its life.
    #[cfg_attr(any(feature = "observe", feature = "wire"), serde(serialize_with = "as_text"))]
    pub state: ModuleState,
    /// How it is itself.
    pub own: HealthStatus,
    /// The worst of how it is and its children are. What is wrong with a child is told with its name before it.
    pub status: HealthStatus,
    /// Its children, in the order of registration.
    pub children: Vec<ModuleHealth>,
}

impl SystemRef {
    /// How the modules are, at the moment: each by its [checks](macro@crate::health). One without checks is healthy while it runs; one that failed and waits to be
    /// started again is unhealthy, with what it failed of. The worst wins, of a module and its children, and of the system.
    ///
    /// ```
    /// use dms::prelude::*;
    ///
    /// #[module(name = "disk")]
    /// struct Disk;
    ///
    /// #[module]
    /// impl Disk {
    ///     #[health]
    ///     fn health(&self) -> HealthStatus { HealthStatus::Degraded("nearly full".to_owned()) }
    /// }
    ///
    /// # #[module(name = "clock")] struct Clock;
    /// # #[module] impl Clock {}
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::builder("shop").build();
    /// let disk = system.register_module(Disk).await?;
    /// system.register_module(Clock).await?;
    /// disk.check_health().await;
    ///
    /// let health = system.health();
    /// assert_eq!((health.percent, health.summary.degraded), (50, 1));
    /// assert_eq!(
    ///     health.to_string(),
    ///     "shop: degraded: disk: nearly full; 50 % of 2 modules are healthy\n\
    ///      ├─ disk: degraded: nearly full\n\
    ///      └─ clock: healthy\n"
    /// );
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn health(&self) -> HealthReport {
        let cells = self.shared().map(|shared| shared.cells(|_| true)).unwrap_or_default();
        let mut places: BTreeMap<ModuleId, (Option<ModuleId>, ModuleHealth)> = BTreeMap::new();
        for cell in &cells {
            let core = cell.core();
            let own = core.health();
            let module = ModuleHealth {
                id: core.id,
                name: core.name(),
                state: core.state(),
                status: own.clone(),
                own,
                children: Vec::new(),
            };
            places.insert(core.id, (core.parent(), module));
        }
        let summary: HealthSummary = places.values().map(|(_, module)| &module.own).collect();
        let mut modules = Vec::new();
        // Children are younger than their parents: the youngest has none that is not in its place yet.
        while let Some((_, (parent, mut module))) = places.pop_last() {
            module.settle();
            match parent.and_then(|parent| places.get_mut(&parent)) {
                Some((_, parent)) => parent.children.push(module),
                None => modules.push(module),
            }
        }
        modules.reverse();
        let status = HealthStatus::worst(modules.iter().map(ModuleHealth::as_child));
        HealthReport { system: self.name(), status, summary, percent: summary.percent(), modules }
    }
}

impl ModuleHealth {
    /// Puts the children, which came youngest first, in order, and sees which is the worst.
    fn settle(&mut self) {
        self.children.reverse();
        let children = self.children.iter().map(Self::as_child);
        self.status = HealthStatus::worst(std::iter::once(self.own.clone()).chain(children));
    }

    /// How it is, as its parent tells it.
    fn as_child(&self) -> HealthStatus {
        match &self.status {
            HealthStatus::Healthy => HealthStatus::Healthy,
            HealthStatus::Degraded(reason) => HealthStatus::Degraded(format!("{}: {reason}", self.name)),
            HealthStatus::Unhealthy(reason) => HealthStatus::Unhealthy(format!("{}: {reason}", self.name)),
        }
    }

    fn draw(&self, indent: &str, is_last: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (branch, rest) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        write!(f, "{indent}{branch}{}", self.name)?;
        if self.state != ModuleState::Running {
            write!(f, " ({})", self.state)?;
        }
        writeln!(f, ": {}", self.status)?;
        draw(&self.children, &format!("{indent}{rest}"), f)
    }
}

fn draw(modules: &[ModuleHealth], indent: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (number, module) in modules.iter().enumerate() {
        module.draw(indent, number + 1 == modules.len(), f)?;
    }
    Ok(())
}

/// The tree, a line for the system and one for each module.
impl fmt::Display for HealthReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.summary.total();
        let modules = if total == 1 { "module is" } else { "modules are" };
        writeln!(f, "{}: {}; {} % of {total} {modules} healthy", self.system, self.status, self.percent)?;
        draw(&self.modules, "", f)
    }
}

#[cfg(any(feature = "observe", feature = "wire"))]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "it is how serde calls it")]
fn id_as_number<S: serde::Serializer>(id: &ModuleId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(id.0.get())
}

#[cfg(any(feature = "observe", feature = "wire"))]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "it is how serde calls it")]
fn as_text<S: serde::Serializer>(state: &ModuleState, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(state)
}
