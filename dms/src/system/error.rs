//! What can go wrong when a module is registered or looked for.

use std::error::Error;

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
    /// The system is shutting down or has shut down, the module that would be the parent is stopping, or the module was told to stop before it ran.
    #[error("module `{module}` was not registered: the system, its parent or the module itself is stopping")]
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

fn existing(names: &[String]) -> String {
    match names {
        [] => "are no named modules".to_owned(),
        names => format!("are: {}", names.join(", ")),
    }
}

fn provided(capabilities: &[String]) -> String {
    match capabilities {
        [] => "nothing is provided".to_owned(),
        capabilities => format!("these are provided: {}", capabilities.join(", ")),
    }
}
