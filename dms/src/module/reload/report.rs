//! What is told of a reload: to who asked, to all who listen, and later.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::error::ReloadError;
use crate::module::handler::Module;
use crate::module::info::Version;
use crate::module::lifecycle::{ModuleId, ModuleName};
use crate::module::module_ref::ModuleRef;

/// How a reload went.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReloadOutcome {
    /// The module itself asked for it, or one that it waits for: it takes place once the running handler has returned.
    Begun,
    /// The new one runs, and the old one has been dropped.
    Reloaded,
    /// The old one goes on, and the new one has been dropped.
    Failed(ReloadError),
}

/// What a reload did.
#[non_exhaustive]
pub struct ReloadReport<T: Module> {
    /// The module. References to what was in its place reach it too.
    pub module: ModuleRef<T>,
    /// The version of the old one.
    pub old: Version,
    /// The version of the new one.
    pub new: Version,
    /// Which incarnation runs.
    pub incarnation: u32,
    /// Whether the new one has the old one's state: there was a snapshot, and a `#[restore]` that took it.
    pub migrated: bool,
    /// For how long no message was handled: from the end of the last handler of the old one until the new one was ready.
    pub pause: Duration,
    /// [`Reloaded`](ReloadOutcome::Reloaded), or [`Begun`](ReloadOutcome::Begun).
    pub outcome: ReloadOutcome,
}

impl<T: Module> Clone for ReloadReport<T> {
    fn clone(&self) -> Self {
        Self { module: self.module.clone(), outcome: self.outcome.clone(), ..*self }
    }
}

impl<T: Module> fmt::Debug for ReloadReport<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReloadReport")
            .field("module", &self.module)
            .field("old", &self.old)
            .field("new", &self.new)
            .field("incarnation", &self.incarnation)
            .field("migrated", &self.migrated)
            .field("pause", &self.pause)
            .field("outcome", &self.outcome)
            .finish()
    }
}

/// A reload that has ended, as [`ModuleRef::reloads`] and [`SystemRef::reload_history`](crate::SystemRef::reload_history) list it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReloadEntry {
    /// The module's name.
    pub module: ModuleName,
    /// The module's id.
    pub id: ModuleId,
    /// The version of the old one.
    pub old: Version,
    /// The version of the new one.
    pub new: Version,
    /// When it ended.
    pub when: SystemTime,
    /// Whether the new one has the old one's state.
    pub migrated: bool,
    /// [`Reloaded`](ReloadOutcome::Reloaded) or [`Failed`](ReloadOutcome::Failed).
    pub outcome: ReloadOutcome,
}

/// A module has been reloaded: another value is in its place, and the old one has been dropped.
///
/// It is told once for each reload that succeeds. That the incarnation of the old one has ended is told besides, as [`Down`](crate::event::Down).
///
/// ```
/// use dms::event::Reloaded;
/// use dms::prelude::*;
///
/// #[module]
/// struct Journal;
///
/// #[module]
/// impl Journal {
///     #[event]
///     fn on_reloaded(&mut self, reloaded: &Reloaded) {
///         println!("{}: {} is {} now", reloaded.module, reloaded.old, reloaded.new);
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// The module's name.
    pub module: ModuleName,
    /// The module's id.
    pub id: ModuleId,
    /// Which incarnation runs now.
    pub incarnation: u32,
    /// The version of the old one.
    pub old: Version,
    /// The version of the new one.
    pub new: Version,
    /// Whether the new one has the old one's state.
    pub migrated: bool,
}

impl<T: Module> ModuleRef<T> {
    /// The reloads of this module that have ended, the oldest first, those that failed among them: as far as they are among the last 64 of its system.
    #[must_use]
    pub fn reloads(&self) -> Vec<ReloadEntry> {
        let core = &self.cell.core;
        let host = core.environment.host();
        host.map(|host| host.reloads(Some(core.id))).unwrap_or_default()
    }
}
