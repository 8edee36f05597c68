//! What can go wrong when a module is registered or looked for.

use std::error::Error;
use std::fmt;

use crate::module::ModuleState;
use crate::module::Version;
use crate::module::stop::existing;

/// A module was not registered. Nothing of it is left: its name is free, and its references, if any got out, are stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// A module that runs has the name.
    #[error("module `{name}` is already registered: stop it first, or give this one another name with `.name(\"…\")`")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The name cannot be one.
    #[error("{name:?} cannot be the name of a module: {reason}; give it another with `.name(\"…\")`")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The system is shutting down or has shut down, the module that would be the parent is stopping, or the module was told to stop before it ran.
    #[error(
        "module `{module}` was not registered: the system, its parent or the module itself is stopping, or has stopped"
    )]
    ShuttingDown {
        /// The module's name.
        module: String,
    },
    /// A hook returned an error.
    #[error("`{hook}` of module `{module}` failed")]
    Hook {
        /// The module's name.
        module: String,
        /// `init` or `start`.
        hook: &'static str,
        /// The hook's error.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The constructor or a hook panicked.
    #[error("`{place}` of module `{module}` panicked: {text}")]
    Panicked {
        /// The module's name.
        module: String,
        /// `new`, `info`, `init` or `start`.
        place: &'static str,
        /// What the panic said.
        text: String,
    },
    /// The module says of itself what it is, and was not there to say so before it had its reference.
    #[error(
        "module `{module}` says itself what it is, so it must be there when it is registered: give it to `register_module` instead of building it in `register_with`"
    )]
    BuiltTooLate {
        /// The module's name.
        module: String,
    },
    /// There is no Tokio runtime to run the module on.
    #[error(
        "module `{module}` was not registered: there is no Tokio runtime here; call this inside one (`#[tokio::main]`)"
    )]
    NoRuntime {
        /// The module's name.
        module: String,
    },
    /// The module was made by the builder of another system.
    #[error(
        "module `{module}` was not registered: its builder is of another system; call `register_module` of this one"
    )]
    OtherSystem {
        /// The module's name.
        module: String,
    },
    /// Two modules of the set have the name.
    #[error("two modules of the set are named `{name}`: give one of them another name with `.name(\"…\")`")]
    NameTwice {
        /// The name.
        name: String,
    },
    /// A dependency cannot be read.
    #[error(
        "`{requirement}` is no dependency that module `{module}` could have: {reason}; write the name of a module or a capability, then the versions if not all will do, as in `cache >= 1.3`"
    )]
    Requirement {
        /// The module's name.
        module: String,
        /// The dependency as it is written.
        requirement: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Modules depend on each other in a circle.
    #[error("these modules depend on each other in a circle: {}; take one of these dependencies away", circle(.cycle))]
    DependencyCycle {
        /// The names, each depending on the next, the last on the first.
        cycle: Vec<String>,
    },
    /// No module that runs, nor one of the set, has the name of the dependency or provides it.
    #[error("`{}` is not there: no module is named `{dependency}` or provides it; {}; register it first, or in the same set", way(.path, .requirement), there_is(.existing))]
    DependencyMissing {
        /// Who needs it: from a module of the set on which none depends to the one that declares the dependency.
        path: Vec<String>,
        /// The dependency as it was declared.
        requirement: String,
        /// Its name.
        dependency: String,
        /// The names and capabilities that are there, without those of the module that declares it.
        existing: Vec<String>,
    },
    /// The dependency is there in other versions only.
    #[error("`{}` is not there: found {}", way(.path, .requirement), candidates(.found))]
    DependencyIncompatible {
        /// Who needs it, as in [`DependencyMissing`](Self::DependencyMissing).
        path: Vec<String>,
        /// The dependency as it was declared.
        requirement: String,
        /// What was found instead.
        found: Vec<DependencyCandidate>,
    },
    /// The dependency is there, but is starting or stopping.
    #[error("`{}` does not run: found {}; register what depends on it once it runs, or both in one set", way(.path, .requirement), candidates(.found))]
    DependencyNotRunning {
        /// Who needs it, as in [`DependencyMissing`](Self::DependencyMissing).
        path: Vec<String>,
        /// The dependency as it was declared.
        requirement: String,
        /// What was found.
        found: Vec<DependencyCandidate>,
    },
    /// The module is to be started again when it fails, and nothing could build it then.
    #[error(
        "module `{module}` cannot be started again, as its `restart` says, since a value can be given away only once: register it with `register_with`, which builds it each time, or add `.restart_from_clone()`"
    )]
    CannotRestart {
        /// The module's name.
        module: String,
    },
    /// When the module's health is checked was said, and it has no `#[health]`.
    #[error(
        "module `{module}` has no health check that a schedule could be for: write `#[health] async fn health(&self) -> HealthStatus` in its `#[module] impl`, or register it without `.health_schedule(…)`"
    )]
    NoHealthCheck {
        /// The module's name.
        module: String,
    },
    /// The module was to begin with the state of a snapshot, and has no `#[restore]`.
    #[cfg(feature = "snapshot")]
    #[error(
        "module `{module}` cannot be restored: write `#[restore] fn restore(&mut self, state: State, from: Version)` in its `#[module] impl`, or register it without a snapshot"
    )]
    NoRestore {
        /// The module's name.
        module: String,
    },
    /// A pool of no members.
    #[error("a pool of `{module}` needs at least one member")]
    EmptyPool {
        /// The module's name.
        module: String,
    },
}

/// No module of the wanted name or capability, and type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// No module that runs has the name.
    #[error("no module is named `{name}`; there {}", existing(.names))]
    NotFound {
        /// The name.
        name: String,
        /// The names that exist.
        names: Vec<String>,
    },
    /// The module is of another type. Types of the same name are told apart by their paths and parameters.
    #[error("module `{name}` is a `{found}`, not a `{expected}`")]
    WrongType {
        /// The name.
        name: String,
        /// The type asked for.
        expected: &'static str,
        /// The module's type.
        found: &'static str,
    },
    /// No module provides the capability.
    #[error("no module provides `{capability}`; {}", provided(.capabilities))]
    NotProvided {
        /// The capability.
        capability: String,
        /// The capabilities that are provided.
        capabilities: Vec<String>,
    },
    /// The capability is provided by modules of other types only.
    #[error("`{capability}` is not provided by a `{expected}`; it is provided by: {}", .found.join(", "))]
    ProvidedByOthers {
        /// The capability.
        capability: String,
        /// The type asked for.
        expected: &'static str,
        /// The types of the modules that provide it.
        found: Vec<&'static str>,
    },
}

/// A module that has the name of a dependency, or provides it, and yet will not do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DependencyCandidate {
    /// The module's name.
    pub module: String,
    /// Its version.
    pub version: Version,
    /// Where it is in its life; `None` where it is of the set that is registered.
    pub state: Option<ModuleState>,
}

impl fmt::Display for DependencyCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {} (", self.module, self.version)?;
        match self.state {
            None => f.write_str("of this set)"),
            Some(state) => write!(f, "{state})"),
        }
    }
}

/// `a -> b -> a`.
fn circle(names: &[String]) -> String {
    let mut text = names.join(" -> ");
    if let Some(first) = names.first() {
        text.push_str(" -> ");
        text.push_str(first);
    }
    text
}

/// `app -> store -> cache >= 1.3`.
fn way(path: &[String], requirement: &str) -> String {
    path.iter().map(|name| format!("{name} -> ")).chain([requirement.to_owned()]).collect()
}

fn there_is(existing: &[String]) -> String {
    match existing {
        [] => "there is nothing else".to_owned(),
        existing => format!("there are: {}", existing.join(", ")),
    }
}

fn candidates(found: &[DependencyCandidate]) -> String {
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn provided(capabilities: &[String]) -> String {
    match capabilities {
        [] => "nothing is provided".to_owned(),
        capabilities => format!("these are provided: {}", capabilities.join(", ")),
    }
}
