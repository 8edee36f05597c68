//! Where a value was written.

use std::fmt;
use std::path::PathBuf;

use ::config::{Value, ValueKind};

/// Where a value of the configuration comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigOrigin {
    /// The defaults, [`ConfigBuilder::defaults`](crate::ConfigBuilder::defaults) or [`defaults_of`](crate::ConfigBuilder::defaults_of).
    Defaults {
        /// The line of the text, from 1; of a value that was serialized there is none.
        line: Option<usize>,
    },
    /// A file.
    File {
        /// The file's path, as the builder was given it.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The environment.
    Environment {
        /// The variable's name.
        variable: String,
    },
    /// The program, [`ConfigBuilder::set`](crate::ConfigBuilder::set).
    Code,
}

impl ConfigOrigin {
    /// As it is kept with a value: the crate `config` has a text for it.
    pub(super) fn encode(&self) -> String {
        match self {
            Self::Defaults { line: None } => "defaults".to_owned(),
            Self::Defaults { line: Some(line) } => format!("defaults {line}"),
            Self::File { path, line } => format!("file {line} {}", path.display()),
            Self::Environment { variable } => format!("{ENVIRONMENT}{variable}"),
            Self::Code => "code".to_owned(),
        }
    }

    fn decode(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
        Some(match kind {
            "defaults" => Self::Defaults { line: rest.parse().ok() },
            "file" => {
                let (line, path) = rest.split_once(' ')?;
                Self::File { path: path.into(), line: line.parse().ok()? }
            }
            "environment" => Self::Environment { variable: rest.to_owned() },
            "code" => Self::Code,
            _ => return None,
        })
    }

    /// Where `value` was written; of a table that layers make up, where the first of its values was.
    pub(super) fn of(value: &Value) -> Option<Self> {
        if let Some(origin) = value.origin() {
            return Self::decode(origin);
        }
        let ValueKind::Table(table) = &value.kind else { return None };
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        entries.into_iter().find_map(|(_, value)| Self::of(value))
    }
}

const ENVIRONMENT: &str = "environment ";

/// Whether `value` is a variable's text, whose type nobody has written down.
pub(super) fn is_environment(value: &Value) -> bool {
    value.origin().is_some_and(|origin| origin.starts_with(ENVIRONMENT))
}

/// Fits behind “in”, and before “is”.
impl fmt::Display for ConfigOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults { line: None } => f.write_str("the defaults"),
            Self::Defaults { line: Some(line) } => write!(f, "line {line} of the defaults"),
            Self::File { path, line } => write!(f, "line {line} of `{}`", path.display()),
            Self::Environment { variable } => write!(f, "the environment variable `{variable}`"),
            Self::Code => f.write_str("what the program set"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_survives_being_kept_as_a_text() {
        let origins = [
            ConfigOrigin::Defaults { line: None },
            ConfigOrigin::Defaults { line: Some(3) },
            ConfigOrigin::File { path: "/etc/a shop/app 2.toml".into(), line: 12 },
            ConfigOrigin::Environment { variable: "SHOP_STORE__TIMEOUT".to_owned() },
            ConfigOrigin::Code,
        ];
        for origin in origins {
            let value = Value::new(Some(&origin.encode()), 1);
            assert_eq!(is_environment(&value), matches!(origin, ConfigOrigin::Environment { .. }));
            assert_eq!(ConfigOrigin::of(&value), Some(origin));
        }
    }
}
