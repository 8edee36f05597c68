//! The layer of environment variables. It knows the layers before it, whose names it completes.

use std::collections::BTreeMap;
use std::ffi::OsString;

use ::config::{Map, Source, Value, ValueKind};

use super::error::ConfigError;
use super::origin::ConfigOrigin;
use super::tree::{DEPTH, Table, own_name};

#[derive(Clone)]
pub(super) struct Environment {
    pub(super) prefix: String,
    /// In place of the program's own.
    pub(super) variables: Option<BTreeMap<OsString, OsString>>,
}

/// Parts the names of tables and the key of a variable.
const SEPARATOR: &str = "__";

impl Environment {
    /// The variable that sets the value at `path`.
    pub(super) fn variable(&self, path: &str) -> String {
        let name = path.replace('-', "_").replace('.', SEPARATOR).to_ascii_uppercase();
        if self.prefix.is_empty() { name } else { format!("{}_{name}", self.prefix) }
    }

    /// What follows the prefix in the name of a variable.
    fn path<'a>(&self, variable: &'a str) -> Option<&'a str> {
        if self.prefix.is_empty() {
            return variable.contains(SEPARATOR).then_some(variable);
        }
        let (prefix, rest) = variable.split_at_checked(self.prefix.len())?;
        rest.strip_prefix('_').filter(|_| prefix.eq_ignore_ascii_case(&self.prefix))
    }

    fn read(&self, tree: &mut Value) -> Result<(), ConfigError> {
        let own = || std::env::vars_os().collect();
        for (variable, value) in self.variables.clone().unwrap_or_else(own) {
            // A name that is no text begins with no prefix of ours.
            let Ok(variable) = variable.into_string() else { continue };
            let Some(names) = self.path(&variable).map(|path| path.split(SEPARATOR).collect::<Vec<_>>()) else {
                continue;
            };
            // `SHOP_`, `SHOP_A____B`: of another program.
            if names.iter().any(|name| name.is_empty()) {
                continue;
            }
            let origin = ConfigOrigin::Environment { variable: variable.clone() }.encode();
            let put = match value.into_string() {
                Ok(_) if names.len() > DEPTH => Err(format!("names more than {DEPTH} tables in each other")),
                Ok(value) => put(tree, &names, Value::new(Some(&origin), value)),
                Err(_) => Err("is not Unicode text".to_owned()),
            };
            put.map_err(|reason| ConfigError::Environment { variable, reason })?;
        }
        Ok(())
    }
}

/// Puts `value` where `names` say, as the tree writes them where it knows them.
fn put(tree: &mut Value, names: &[&str], value: Value) -> Result<(), String> {
    let Some((last, tables)) = names.split_last() else { return Ok(()) };
    let mut around = tree;
    let mut path = String::new();
    for name in tables {
        around = entry(around, name, &mut path)?;
        if matches!(around.kind, ValueKind::Nil) {
            *around = Value::new(None, Table::new());
        }
    }
    let place = entry(around, last, &mut path)?;
    if matches!(place.kind, ValueKind::Table(_)) {
        return Err(format!("would replace the table `{path}`: name the key in it, after two underscores"));
    }
    *place = value;
    Ok(())
}

/// The place of `name` in the table `around`, whose path it extends.
fn entry<'a>(around: &'a mut Value, name: &str, path: &mut String) -> Result<&'a mut Value, String> {
    let ValueKind::Table(table) = &mut around.kind else {
        return Err(format!("would make a table of `{path}`, which is a single value"));
    };
    let name = own_name(table, name).map_or_else(|| name.to_ascii_lowercase(), str::to_owned);
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(&name);
    Ok(table.entry(name).or_insert_with(|| Value::new(None, ValueKind::Nil)))
}

/// Shows the prefix: values may be secrets.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Environment({:?})", self.prefix)
    }
}

impl Source for Environment {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ::config::ConfigError> {
        let mut tree = Value::new(None, Table::new());
        self.collect_to(&mut tree)?;
        Ok(if let ValueKind::Table(table) = tree.kind { table } else { Map::new() })
    }

    fn collect_to(&self, tree: &mut Value) -> Result<(), ::config::ConfigError> {
        self.read(tree).map_err(ConfigError::into_foreign)
    }
}
