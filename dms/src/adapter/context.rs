//! What an object can reach besides its own state.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::adapter::ModuleAdapter;
use crate::message::{self, Response};
use crate::module::{self, ModuleId, RequestError};
use crate::system::{ConfigError, SystemRef};

/// What an object gets in `init`, and may keep: its settings as they were then, and the way to other modules. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The module's id.
    pub id: ModuleId,
    system: SystemRef,
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    /// By their keys, with the names of the tables around them.
    settings: BTreeMap<String, Setting>,
}

/// A value as a text, and as a number if it is one.
struct Setting {
    text: String,
    number: Result<usize, ConfigError>,
}

impl Context {
    /// What `ctx` says now.
    pub(super) fn snapshot(ctx: &module::Context<ModuleAdapter>) -> Result<Self, ConfigError> {
        let mut keys = Vec::new();
        collect_keys("", &ctx.config_as()?, &mut keys);
        let setting = |key: String| {
            let text = ctx.config(&key)?;
            let number = ctx.config_value(&key);
            Some((key, Setting { text, number }))
        };
        let settings = keys.into_iter().filter_map(setting).collect();
        Ok(Self { id: ctx.id(), system: ctx.system(), inner: Arc::new(Inner { name: ctx.name(), settings }) })
    }

    /// The value of `key` in the module's section as a text; with dots the key reaches into tables: `pool.size`. `None` where there is no value, and for a list or a table.
    ///
    /// The section is that of the module's name, as it was when the module was initialised: see [`dms::Context`](crate::Context), which also reads types and what was read again.
    #[must_use]
    pub fn config(&self, key: &str) -> Option<&str> {
        self.inner.settings.get(key).map(|setting| &*setting.text)
    }

    /// As [`config`](Self::config), or `default`.
    #[must_use]
    pub fn config_or<'a>(&'a self, key: &str, default: &'a str) -> &'a str {
        self.config(key).unwrap_or(default)
    }

    /// The value of `key` as a number; `None` where there is none. For what is no such number there is a warning in the log, and `None`.
    #[must_use]
    pub fn config_usize(&self, key: &str) -> Option<usize> {
        match &self.inner.settings.get(key)?.number {
            Ok(number) => Some(*number),
            Err(error) => {
                tracing::warn!("{error}");
                None
            }
        }
    }

    /// Sends a request to the module `target`, and blocks the thread until its response is there. The source is this module's name.
    ///
    /// The target is found, and the deadline is, as by [`SystemRef::request`]. In `init` and `start` only modules answer that have been initialised. A module in whose place an asynchronous one would
    /// get [`AskError::WouldDeadlock`](crate::AskError::WouldDeadlock) gets it here. On a thread of the program's own, no module waits: there the deadline ends what could never come.
    ///
    /// # Errors
    /// As [`SystemRef::request`]; in asynchronous code of a module [`RequestError::WouldBlock`].
    pub fn request(&self, target: &str, request: impl Into<message::Request>) -> Result<Response, RequestError> {
        let request = message::Request { source: self.inner.name.clone(), ..request.into() };
        self.system.blocking_request(target, request)
    }

    /// The system that the module belongs to.
    #[must_use]
    pub fn system(&self) -> SystemRef {
        self.system.clone()
    }
}

/// The keys of all single values below `path`.
fn collect_keys(path: &str, table: &Map<String, Value>, keys: &mut Vec<String>) {
    for (key, value) in table {
        let key = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Object(table) => collect_keys(&key, table, keys),
            Value::Array(_) => {}
            _ => keys.push(key),
        }
    }
}

/// Shows no settings: they may be secrets.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("module", &self.inner.name).field("id", &self.id).finish_non_exhaustive()
    }
}
