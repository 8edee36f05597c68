//! Why a module goes on as it was.

use std::time::Duration;

use crate::module::lifecycle::{Failure, ModuleState};
#[cfg(feature = "snapshot")]
use crate::module::snapshot::SnapshotError;
use crate::module::stop::existing;

/// A module was not reloaded. It goes on as it was, unless it is told to end, or failed itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// It is not one that may be replaced while it runs.
    #[error("module `{module}` cannot be reloaded: write `flags(HOT_RELOADABLE)` in the `#[module]` of its struct")]
    NotReloadable {
        /// The module's name.
        module: String,
    },
    /// No module that runs has the name.
    #[error("no module is named `{name}`; there {}", existing(.names))]
    NotFound {
        /// The name.
        name: String,
        /// The names that exist.
        names: Vec<String>,
    },
    /// The module handles other messages than the one that is to take its place.
    #[error(
        "module `{module}` is a `{found}`, and a `{expected}` does not handle its messages: write `#[module(replaces = {found})]` on its impl"
    )]
    WrongType {
        /// The module's name.
        module: String,
        /// The type that was to take its place.
        expected: &'static str,
        /// The module's type.
        found: &'static str,
    },
    /// The one that is to take its place was given a snapshot, and has nothing that would take it.
    #[cfg(feature = "snapshot")]
    #[error(
        "module `{module}` was not reloaded, for `{type_name}` cannot be restored: give it a `#[restore]`, or leave `from_snapshot` out"
    )]
    NoRestore {
        /// The module's name.
        module: String,
        /// The type that was to take its place.
        type_name: &'static str,
    },
    /// It does not run yet, or waits to be started again.
    #[error("module `{module}` was not reloaded, for it does not run: it is `{state}`; reload it once it runs")]
    NotRunning {
        /// The module's name.
        module: String,
        /// Where it is in its life.
        state: ModuleState,
    },
    /// It is being reloaded already.
    #[error("module `{module}` is being reloaded already; wait for that to end")]
    InProgress {
        /// The module's name.
        module: String,
    },
    /// It has ended, or is told to.
    #[error("module `{module}` was not reloaded, for it is to end")]
    Stopped {
        /// The module's name.
        module: String,
    },
    /// It failed before another one could take its place.
    #[error("module `{module}` was not reloaded, for it failed itself: {failure}")]
    Interrupted {
        /// The module's name.
        module: String,
        /// What it failed of.
        failure: Failure,
    },
    /// Another type is in its place by now, of which nothing says how it is built again after a failure.
    #[error(
        "module `{module}` is started again when it fails, and nothing would say how: reload it with a factory, by `reload_with`"
    )]
    CannotRestart {
        /// The module's name.
        module: String,
    },
    /// Its state could not be taken.
    #[cfg(feature = "snapshot")]
    #[error("module `{module}` goes on as it was, for its state could not be taken")]
    Snapshot {
        /// The module's name.
        module: String,
        /// Why.
        source: SnapshotError,
    },
    /// A hook of the new one returned an error.
    #[error("module `{module}` goes on as it was, for `{hook}` of the new one failed: {text}")]
    Hook {
        /// The module's name.
        module: String,
        /// `init`, `restore` or `start`.
        hook: &'static str,
        /// The error and its causes.
        text: String,
    },
    /// What builds the new one panicked, or a hook of it, or the old one's `snapshot`.
    #[error("module `{module}` goes on as it was, for `{place}` panicked: {text}")]
    Panicked {
        /// The module's name.
        module: String,
        /// `new`, `init`, `restore`, `start` or `snapshot`.
        place: &'static str,
        /// What the panic said.
        text: String,
    },
    /// A task of the new one failed before it ran.
    #[error("module `{module}` goes on as it was, for the new one failed: {failure}")]
    Failed {
        /// The module's name.
        module: String,
        /// What it failed of.
        failure: Failure,
    },
    /// It took too long.
    #[error(
        "module `{module}` goes on as it was, for the new one did not run after {after:?}: `{place}` did not return; give it longer with `.timeout(…)`"
    )]
    TimedOut {
        /// The module's name.
        module: String,
        /// How long it had.
        after: Duration,
        /// What did not return: the running handler (`a handler`), or a hook of the new one.
        place: &'static str,
    },
}
