//! Settings of modules, from several layers.
//!
//! Reading order: [`builder`] names the layers; [`layer`] and [`environment`] read them into one [`tree`] of values, merged by the crate `config`, each with
//! its [`origin`]. [`read`] makes a type of a part of the tree, [`mistake`] is what goes wrong in between and [`error`] what the user sees of it. [`access`]
//! is how modules come to all this, [`reload`] how it changes, and [`changed`] what they are told of that.

mod access;
mod builder;
mod changed;
mod environment;
mod error;
mod layer;
mod mistake;
mod origin;
mod read;
mod reload;
mod tree;

pub use builder::ConfigBuilder;
pub use changed::{ConfigChanged, ConfigReload};
pub use error::ConfigError;
pub use origin::ConfigOrigin;
pub(super) use reload::ConfigStore;

use std::fmt;
use std::sync::Arc;

use ::config::Value;
use serde::de::DeserializeOwned;

use tree::{Table, find, table};

/// The settings of a system and its modules, as they were when they were read.
///
/// They come in four layers, of which the later ones override the earlier: defaults, files, the environment, code. It does not matter in which order
/// the builder is told of them; only of several files, say, the later one overrides the earlier. Tables are merged key by key, lists are replaced.
///
/// A [`Duration`](std::time::Duration) is written as in the attributes: `"30s"`, `"1m 30s"`.
///
/// A top-level table is a *section*. A module reads that of its name, see [`Context::config_as`](crate::Context::config_as).
///
/// ```
/// use dms::Config;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Store { timeout: u64, peers: Vec<String> }
///
/// let config = Config::builder()
///     .defaults("[store]\ntimeout = 5\npeers = []")
///     .environment_from("SHOP", [("SHOP_STORE__PEERS", r#"["north", "south"]"#)])
///     .set("store.timeout", 7)
///     .build()?;
/// let store: Store = config.section("store")?;
/// assert_eq!((store.timeout, store.peers.len()), (7, 2));
/// # Ok::<_, dms::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Config {
    inner: Arc<Inner>,
}

struct Inner {
    /// All values, each with its origin.
    tree: Value,
    /// What they were read from, to be read again.
    builder: ConfigBuilder,
}

/// Whose settings are read, for the error.
#[derive(Clone, Copy)]
enum Reader<'a> {
    Module(&'a str),
    Program,
}

impl Config {
    /// Names the layers of a configuration.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }

    /// The section `name` as a `C`; a section that is nowhere is an empty one, so that a type whose fields all have defaults needs none.
    ///
    /// Modules use [`Context::config_as`](crate::Context::config_as), whose error names the module.
    ///
    /// # Errors
    /// A key is missing, of the wrong type, unknown or rejected by the type.
    pub fn section<C: DeserializeOwned>(&self, name: &str) -> Result<C, ConfigError> {
        self.read(name, Absence::EmptyTable, Reader::Program)
    }

    /// The value of `key`, with the names of all tables around it: `store.timeout`. With an `Option` a missing value is `None`.
    ///
    /// # Errors
    /// The value is missing or of the wrong type.
    pub fn value<V: DeserializeOwned>(&self, key: &str) -> Result<V, ConfigError> {
        self.read(key, Absence::Nothing, Reader::Program)
    }

    /// Where the value of `key` comes from; `None` where there is none, and for a table, which may come from several places.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<ConfigOrigin> {
        let value = find(&self.inner.tree, key)?;
        if table(value).is_some() { None } else { ConfigOrigin::of(value) }
    }

    /// Whether there is anything at `path`.
    fn has(&self, path: &str) -> bool {
        find(&self.inner.tree, path).is_some()
    }

    fn read<V: DeserializeOwned>(&self, path: &str, absence: Absence, reader: Reader<'_>) -> Result<V, ConfigError> {
        let empty;
        let value = match (find(&self.inner.tree, path), absence) {
            (None, Absence::EmptyTable) => {
                empty = Value::new(None, Table::new());
                Some(&empty)
            }
            (value, _) => value,
        };
        read::read(value).map_err(|mistake| ConfigError::new(mistake, path, reader, &self.inner.builder))
    }
}

/// What stands for a value that is nowhere.
#[derive(Clone, Copy)]
enum Absence {
    Nothing,
    EmptyTable,
}

impl Default for Config {
    /// No settings at all.
    fn default() -> Self {
        let tree = Value::new(None, Table::new());
        Self { inner: Arc::new(Inner { tree, builder: ConfigBuilder::default() }) }
    }
}

/// Shows the names of the sections: values may be secrets.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sections: Vec<_> = table(&self.inner.tree).into_iter().flat_map(|table| table.keys()).collect();
        sections.sort();
        f.debug_struct("Config").field("sections", &sections).finish_non_exhaustive()
    }
}
