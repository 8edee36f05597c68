//! What is told of a module, of all of a type, and of a system.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Serialize, Serializer};

use super::Counters;
use crate::module::cell::AnyCell;
use crate::module::traffic::Counted;
use crate::module::{Module, ModuleId, ModuleRef, ModuleState};
use crate::system::SystemRef;
use crate::system::ended::{Ended, EndedOfType};

/// What a module has done, and where it stands.
///
/// It is serialised as one flat record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ModuleStatistics {
    /// The name: the one given, else the type's with the id.
    pub name: String,
    /// The id, as a number.
    #[serde(serialize_with = "as_number")]
    pub id: ModuleId,
    /// The name of its type.
    #[serde(rename = "type")]
    pub type_name: &'static str,
    /// The module whose child it is.
    #[serde(serialize_with = "as_number_if_any")]
    pub parent: Option<ModuleId>,
    /// Where it is in its life, as a word: `running`.
    #[serde(serialize_with = "as_text")]
    pub state: ModuleState,
    /// Which incarnation it is, from 1.
    pub incarnation: u32,
    /// How many messages wait.
    pub depth: u64,
    /// How many messages wait or are handled.
    pub load: u64,
    /// What became of its messages.
    #[serde(flatten)]
    pub counters: Counters,
}

impl ModuleStatistics {
    pub(crate) fn of(cell: &dyn AnyCell) -> Self {
        let core = cell.core();
        let Counted { counters, depth, load } = cell.counted();
        Self {
            name: core.name(),
            id: core.id,
            type_name: core.info().type_name,
            parent: core.parent(),
            state: core.state(),
            incarnation: core.incarnation(),
            depth,
            load,
            counters,
        }
    }
}

/// What the modules of one type have done, those that have ended among them.
///
/// It is serialised as one flat record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TypeStatistics {
    /// What modules of the type are called: the `name` of `#[module]`, else that of the type.
    pub name: &'static str,
    /// How many of them live.
    pub living: u64,
    /// How many of them have ended.
    pub ended: u64,
    /// How many messages wait.
    pub depth: u64,
    /// How many messages wait or are handled.
    pub load: u64,
    /// What became of their messages.
    #[serde(flatten)]
    pub counters: Counters,
}

/// What the modules of a system have done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SystemSnapshot {
    /// The system's name; empty once it is gone.
    pub system: String,
    /// When it was taken.
    pub taken_at: SystemTime,
    /// The modules that live, in the order of registration.
    pub modules: Vec<ModuleStatistics>,
    /// All modules by what those of their type are called, in the order of that; those that have ended among them.
    pub types: Vec<TypeStatistics>,
}

impl SystemSnapshot {
    /// What all modules have done together, those that have ended among them.
    #[must_use]
    pub fn totals(&self) -> Counters {
        let mut totals = Counters::default();
        for of_type in &self.types {
            totals.merge(&of_type.counters);
        }
        totals
    }
}

impl TypeStatistics {
    /// Adds up all modules of a type.
    fn of_each(living: &[Arc<dyn AnyCell>], modules: &[ModuleStatistics], ended: Ended) -> Vec<Self> {
        let mut types = BTreeMap::new();
        for (name, EndedOfType { count, counters }) in ended {
            types.insert(name, Self { name, ended: count, counters, ..Self::default() });
        }
        for (cell, module) in living.iter().zip(modules) {
            let name = cell.core().info().name;
            let of_type = types.entry(name).or_insert_with(|| Self { name, ..Self::default() });
            of_type.living += 1;
            of_type.depth += module.depth;
            of_type.load += module.load;
            of_type.counters.merge(&module.counters);
        }
        types.into_values().collect()
    }
}

impl SystemRef {
    /// What the modules of this system have done until now, and where they stand; an empty one, once the system is gone. See [`observe`](crate::observe).
    ///
    /// A snapshot can be serialised:
    ///
    /// ```
    /// # use dms::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::builder("shop").build();
    /// let text = serde_json::to_string(&system.snapshot())?;
    /// assert!(text.starts_with(r#"{"system":"shop","taken_at":"#));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> SystemSnapshot {
        let taken_at = SystemTime::now();
        let Some(shared) = self.shared() else {
            return SystemSnapshot { system: String::new(), taken_at, modules: Vec::new(), types: Vec::new() };
        };
        let (living, ended) = shared.living_and_ended();
        let modules: Vec<_> = living.iter().map(|cell| ModuleStatistics::of(&**cell)).collect();
        let types = TypeStatistics::of_each(&living, &modules, ended);
        SystemSnapshot { system: shared.name.clone(), taken_at, modules, types }
    }
}

impl<T: Module> ModuleRef<T> {
    /// What the module has done until now, and where it stands. See [`observe`](crate::observe).
    #[must_use]
    pub fn statistics(&self) -> ModuleStatistics {
        ModuleStatistics::of(&*self.cell)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn as_number<S: Serializer>(id: &ModuleId, serializer: S) -> Result<S::Ok, S::Error> {
    id.0.serialize(serializer)
}

#[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn as_number_if_any<S: Serializer>(id: &Option<ModuleId>, serializer: S) -> Result<S::Ok, S::Error> {
    id.map(|id| id.0).serialize(serializer)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn as_text<S: Serializer>(state: &ModuleState, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(state)
}
