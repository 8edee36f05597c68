//! What can go wrong with settings.

use std::fmt::{self, Write as _};
use std::io;
use std::path::PathBuf;

use super::mistake::{Found, Kind, Mistake, Step, one_of};
use super::origin::ConfigOrigin;
use super::{ConfigBuilder, Reader};

/// A configuration cannot be read, or lacks something, or has it in the wrong form.
///
/// The text says it all in one line: which key, of which module, what is wanted, what is there, where that was written, and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// No layer has the key.
    Missing {
        /// The module that reads; `None` outside modules.
        module: Option<String>,
        /// The key, with all tables around it.
        key: String,
        /// What should be there.
        wanted: String,
        /// Where it could be written.
        remedy: String,
    },
    /// The value is not of the wanted type.
    Type {
        /// The module that reads; `None` outside modules.
        module: Option<String>,
        /// The key, with all tables around it.
        key: String,
        /// What should be there.
        wanted: String,
        /// What is there.
        found: String,
        /// Where that was written; of a table, where one of its values was; `None` for one that is empty.
        origin: Option<Box<ConfigOrigin>>,
    },
    /// The type knows no such key, and denies what it does not know.
    Unknown {
        /// The module that reads; `None` outside modules.
        module: Option<String>,
        /// The key, with all tables around it.
        key: String,
        /// The keys that it knows.
        known: Vec<String>,
        /// Where it was written; of a table, where one of its values was; `None` for one that is empty.
        origin: Option<Box<ConfigOrigin>>,
    },
    /// The type rejects the value.
    Invalid {
        /// The module that reads; `None` outside modules.
        module: Option<String>,
        /// The key, with all tables around it.
        key: String,
        /// What the type says.
        reason: String,
        /// Where it was written; of a table, where one of its values was; `None` for one that is empty.
        origin: Option<Box<ConfigOrigin>>,
    },
    /// A file cannot be read; [`io::Error::kind`] tells whether it is there.
    File {
        /// The file's path, as the builder was given it.
        path: PathBuf,
        /// What the operating system says; a file that is no text is [`InvalidData`](io::ErrorKind::InvalidData).
        error: io::Error,
    },
    /// A file or the defaults are not TOML.
    Syntax {
        /// Where.
        origin: ConfigOrigin,
        /// What is wrong there.
        reason: String,
    },
    /// An environment variable cannot be part of the configuration.
    Environment {
        /// The variable's name.
        variable: String,
        /// Why.
        reason: String,
    },
    /// A value that the program gave cannot be part of the configuration.
    Value {
        /// The key or section it was given for.
        key: String,
        /// Why.
        reason: String,
    },
}

impl ConfigError {
    /// What `mistake` is to who reads the value at `path`.
    pub(super) fn new(mistake: Mistake, path: &str, reader: Reader<'_>, builder: &ConfigBuilder) -> Self {
        let module = match reader {
            Reader::Module(name) => Some(name.to_owned()),
            Reader::Program => None,
        };
        let steps = mistake.path();
        let mut key = path.to_owned();
        for step in &steps {
            // Writing to a `String` does not fail.
            let _ = match step {
                Step::Key(name) => write!(key, ".{name}"),
                Step::Index(index) => write!(key, "[{index}]"),
            };
        }
        let (found, origin) =
            mistake.found.map_or_else(|| ("nothing".to_owned(), None), |Found { text, origin, .. }| (text, origin));
        let origin = origin.map(Box::new);
        match mistake.kind {
            Kind::Missing { wanted } => {
                let in_list = steps.iter().any(|step| matches!(step, Step::Index(_)));
                let remedy = match origin {
                    Some(origin) if in_list => format!("write it in {origin}"),
                    _ => builder.remedy(&key),
                };
                Self::Missing { module, key, wanted: wanted.unwrap_or_else(|| "a value".to_owned()), remedy }
            }
            Kind::Type { wanted } | Kind::Asked { wanted } => Self::Type { module, key, wanted, found, origin },
            Kind::Unknown { known } => {
                Self::Unknown { module, key, known: known.iter().map(|&name| name.to_owned()).collect(), origin }
            }
            Kind::Invalid { reason } => Self::Invalid { module, key, reason, origin },
        }
    }

    /// As the crate `config` carries the errors of sources.
    pub(super) fn into_foreign(self) -> ::config::ConfigError {
        ::config::ConfigError::Foreign(Box::new(self))
    }

    pub(super) fn from_foreign(error: ::config::ConfigError) -> Self {
        // All sources are ours, so anything else would be a fault in merging them.
        let other = |error: &dyn fmt::Display| Self::Value { key: String::new(), reason: error.to_string() };
        match error {
            ::config::ConfigError::Foreign(error) => {
                error.downcast().map_or_else(|error| other(&error), |error| *error)
            }
            error => other(&error),
        }
    }
}

impl ConfigBuilder {
    /// Where `key` could be written.
    fn remedy(&self, key: &str) -> String {
        let file = self.files.iter().rev().find_map(|layer| layer.path()).map(|path| {
            let path = path.display();
            match key.rsplit_once('.') {
                Some((table, key)) => format!("write `{key} = …` under `[{table}]` in `{path}`"),
                None => format!("write `{key} = …` in `{path}`"),
            }
        });
        let variable = self
            .environments
            .last()
            .map(|environment| format!("set the environment variable `{}`", environment.variable(key)));
        match (file, variable) {
            (Some(file), Some(variable)) => format!("{file}, or {variable}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) if self.defaults.is_empty() && self.code.is_empty() => {
                "there is no configuration: make one with `Config::builder()` and give it to `System::builder(…).config(…)`"
                    .to_owned()
            }
            (None, None) => format!("give it with `Config::builder().set(\"{key}\", …)`"),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Missing { module: Some(module), .. }
        | Self::Type { module: Some(module), .. }
        | Self::Unknown { module: Some(module), .. }
        | Self::Invalid { module: Some(module), .. } = self
        {
            write!(f, "module `{module}`: ")?;
        }
        match self {
            Self::Missing { key, wanted, remedy, .. } => {
                write!(f, "`{key}` is missing, and should be {wanted}: {remedy}")
            }
            Self::Type { key, wanted, found, origin, .. } => {
                write!(f, "`{key}` should be {wanted}, but is {found}{}", Place(origin.as_deref()))?;
                f.write_str(if origin.is_some() { ": correct it there" } else { "" })
            }
            Self::Unknown { key, known, origin, .. } => {
                let known: Vec<_> = known.iter().map(String::as_str).collect();
                let place = Place(origin.as_deref());
                write!(f, "`{key}`{place} is unknown: take it away, or write {}", one_of(&known))
            }
            Self::Invalid { key, reason, origin, .. } => {
                write!(f, "`{key}`{} cannot be taken: {reason}", Place(origin.as_deref()))
            }
            Self::File { path, error } if error.kind() == io::ErrorKind::NotFound => {
                write!(
                    f,
                    "there is no configuration file `{}`: write it, or name it with `optional_file`",
                    path.display()
                )
            }
            Self::File { path, error } => {
                write!(f, "the configuration file `{}` cannot be read: {error}", path.display())
            }
            Self::Syntax { origin, reason } => write!(f, "{origin} is no TOML: {reason}"),
            Self::Environment { variable, reason } => write!(f, "the environment variable `{variable}` {reason}"),
            Self::Value { key, reason } => write!(f, "the value given for `{key}` cannot be configured: {reason}"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// “ in line 3 of `app.toml`”, or nothing.
struct Place<'a>(Option<&'a ConfigOrigin>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |origin| write!(f, " in {origin}"))
    }
}
