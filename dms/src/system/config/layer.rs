//! Reading the layers into one tree. The crate `config` merges them, and keeps with each value the text that says where it stood.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ::config::{Map, Source, Value, ValueKind};
use serde::Serialize;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table};

use super::environment::Environment;
use super::error::ConfigError;
use super::origin::ConfigOrigin;
use super::tree::DEPTH;

/// One source of values, besides the environment.
#[derive(Clone)]
pub(super) enum Layer {
    /// TOML text.
    Defaults(String),
    /// A value of the program's at a key, or why it cannot be one.
    Value {
        origin: ConfigOrigin,
        key: String,
        value: Result<toml::Value, String>,
    },
    File {
        path: PathBuf,
        required: bool,
    },
}

impl Layer {
    pub(super) fn value(origin: ConfigOrigin, key: String, value: &impl Serialize) -> Self {
        let value = toml::Value::try_from(value).map_err(|error| error.to_string().trim_end().to_owned());
        Self::Value { origin, key, value }
    }

    /// The path of a file.
    pub(super) fn path(&self) -> Option<&Path> {
        if let Self::File { path, .. } = self { Some(path) } else { None }
    }

    fn read(&self) -> Result<Map<String, Value>, ConfigError> {
        match self {
            Self::Defaults(text) => parse(text, |line| ConfigOrigin::Defaults { line: Some(line) }),
            Self::Value { origin, key, value } => {
                let invalid = |reason: &str| ConfigError::Value { key: key.clone(), reason: reason.to_owned() };
                let value = value.as_ref().map_err(|reason| invalid(reason))?;
                if key.split('.').any(str::is_empty) {
                    return Err(invalid("a key is one or more names with single dots between them"));
                }
                if key.split('.').count() > DEPTH {
                    return Err(invalid(&format!("it names more than {DEPTH} tables in each other")));
                }
                let mut names = key.split('.').rev();
                let mut table = Table::from_iter(names.next().map(|name| (name.to_owned(), value.clone())));
                for name in names {
                    table = Table::from_iter([(name.to_owned(), table.into())]);
                }
                Ok(of_table(table, &origin.encode()))
            }
            Self::File { path, required } => {
                let text = match fs::read_to_string(path) {
                    Ok(text) => text,
                    Err(error) if error.kind() == io::ErrorKind::NotFound && !required => return Ok(Map::new()),
                    Err(error) => return Err(ConfigError::File { path: path.clone(), error }),
                };
                // Some editors begin a file with a byte order mark.
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                parse(text, |line| ConfigOrigin::File { path: path.clone(), line })
            }
        }
    }
}

/// Shows where it comes from: values may be secrets.
impl std::fmt::Debug for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Defaults(_) => f.write_str("Defaults"),
            Self::Value { key, .. } => write!(f, "Value({key:?})"),
            Self::File { path, .. } => write!(f, "File({path:?})"),
        }
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ::config::ConfigError> {
        self.read().map_err(ConfigError::into_foreign)
    }
}

/// All layers in one tree; each `tables` overrides those before it, then comes the environment and at last `code`.
pub(super) fn merge(tables: &[&[Layer]], environments: &[Environment], code: &[Layer]) -> Result<Value, ConfigError> {
    let mut builder = ::config::Config::builder();
    for layer in tables.iter().copied().flatten() {
        builder = builder.add_source(layer.clone());
    }
    for environment in environments {
        builder = builder.add_source(environment.clone());
    }
    for layer in code {
        builder = builder.add_source(layer.clone());
    }
    builder.build().map(|config| config.cache).map_err(ConfigError::from_foreign)
}

fn parse(text: &str, origin: impl Fn(usize) -> ConfigOrigin) -> Result<Map<String, Value>, ConfigError> {
    let line_ends: Vec<_> = text.match_indices('\n').map(|(at, _)| at).collect();
    let origin = |at: usize| origin(line_ends.partition_point(|end| *end < at) + 1);
    let parsed = DeTable::parse(text)
        .map_err(|error| (error.message().to_owned(), error.span().map_or(text.len(), |span| span.start)))
        .and_then(|table| of_toml_table(table.into_inner(), &|at| origin(at).encode()));
    parsed.map_err(|(reason, at)| ConfigError::Syntax { origin: origin(at), reason })
}

/// What is wrong, and at which byte.
type Fault = (String, usize);

fn of_toml_table(table: DeTable<'_>, origin: &impl Fn(usize) -> String) -> Result<Map<String, Value>, Fault> {
    table.into_iter().map(|(key, value)| Ok((key.into_inner().into_owned(), of_toml(value, origin)?))).collect()
}

fn of_toml(value: Spanned<DeValue<'_>>, origin: &impl Fn(usize) -> String) -> Result<Value, Fault> {
    let at = value.span().start;
    let kind = match value.into_inner() {
        DeValue::String(text) => ValueKind::String(text.into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(ValueKind::I64)
            .map_err(|_| (format!("{number} is beyond the integers of TOML, which have 64 bits"), at))?,
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .map(ValueKind::Float)
            .map_err(|error| (format!("{number} is no number: {error}"), at))?,
        DeValue::Boolean(value) => ValueKind::Boolean(value),
        DeValue::Datetime(time) => ValueKind::String(time.to_string()),
        DeValue::Array(list) => {
            ValueKind::Array(list.into_iter().map(|value| of_toml(value, origin)).collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => ValueKind::Table(of_toml_table(table, origin)?),
    };
    Ok(Value::new(Some(&origin(at)), kind))
}

/// The value that `text` is in TOML; `None` where it is not TOML.
pub(super) fn of_text(text: &str, origin: &str) -> Option<Value> {
    let value = DeValue::parse(text).ok()?;
    of_toml(value, &|_| origin.to_owned()).ok()
}

fn of_table(table: Table, origin: &str) -> Map<String, Value> {
    table.into_iter().map(|(key, value)| (key, of_value(value, origin))).collect()
}

fn of_value(value: toml::Value, origin: &str) -> Value {
    let kind = match value {
        toml::Value::String(text) => ValueKind::String(text),
        toml::Value::Integer(number) => ValueKind::I64(number),
        toml::Value::Float(number) => ValueKind::Float(number),
        toml::Value::Boolean(value) => ValueKind::Boolean(value),
        toml::Value::Datetime(time) => ValueKind::String(time.to_string()),
        toml::Value::Array(list) => ValueKind::Array(list.into_iter().map(|value| of_value(value, origin)).collect()),
        toml::Value::Table(table) => ValueKind::Table(of_table(table, origin)),
    };
    Value::new(Some(&origin.to_owned()), kind)
}
