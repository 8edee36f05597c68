//! Of which layers a configuration is made.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::environment::Environment;
use super::error::ConfigError;
use super::layer::{self, Layer};
use super::origin::ConfigOrigin;
use super::{Config, Inner};

/// Names the layers of a [`Config`]. Nothing is read before [`build`](Self::build).
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct ConfigBuilder {
    pub(super) defaults: Vec<Layer>,
    pub(super) files: Vec<Layer>,
    pub(super) environments: Vec<Environment>,
    pub(super) code: Vec<Layer>,
}

impl ConfigBuilder {
    /// Adds defaults, as TOML text; `include_str!("defaults.toml")` is one way to write it.
    pub fn defaults(mut self, toml: impl Into<String>) -> Self {
        self.defaults.push(Layer::Defaults(toml.into()));
        self
    }

    /// Adds a value as the defaults of `section`.
    ///
    /// ```
    /// # use dms::Config;
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Store { timeout: u64 }
    ///
    /// let config = Config::builder().defaults_of("store", &Store { timeout: 5 }).build()?;
    /// assert_eq!(config.value::<u64>("store.timeout")?, 5);
    /// # Ok::<_, dms::ConfigError>(())
    /// ```
    pub fn defaults_of(mut self, section: impl Into<String>, value: &impl Serialize) -> Self {
        self.defaults.push(Layer::value(ConfigOrigin::Defaults { line: None }, section.into(), value));
        self
    }

    /// Adds a TOML file, which must be there. A path that is relative is so to the working directory.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(Layer::File { path: path.into(), required: true });
        self
    }

    /// Adds a TOML file, which need not be there. One that is there must be readable.
    pub fn optional_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(Layer::File { path: path.into(), required: false });
        self
    }

    /// Adds the environment variables of this program that begin with `prefix` and an underscore.
    ///
    /// Two underscores part a table from its key, one belongs to a name: with the prefix `SHOP` the variable `SHOP_STORE__MAX_SIZE` is the key
    /// `max_size` of the section `store`. Case does not matter, and `_` stands for `-` as well: where an earlier layer has the key `max-size` or the type a
    /// field `maxSize` (`SHOP_STORE__MAXSIZE`), that is the one. An empty prefix takes all variables that contain two underscores.
    ///
    /// A variable is a text; what it means is up to the type that is read: a number, `true` or `false` (also `1`, `0`, `yes`, `no`, `on`, `off`), a
    /// list as TOML writes it (`["a", "b"]`), or the text as it is. Where the type leaves it open it is what TOML makes of it, else a text.
    pub fn environment(mut self, prefix: impl Into<String>) -> Self {
        self.environments.push(Environment { prefix: prefix.into(), variables: None });
        self
    }

    /// As [`environment`](Self::environment), from variables that are given: for tests, and for what does not come from the environment but looks like it.
    pub fn environment_from<N, V>(
        mut self,
        prefix: impl Into<String>,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        self.environments.push(Environment { prefix: prefix.into(), variables: Some(variables) });
        self
    }

    /// Sets one value, which overrides what all other layers say of it. A dot parts a table from its key: `store.timeout`.
    ///
    /// The value may be whatever TOML can express: a number, a text, a list, a map, a struct.
    pub fn set(mut self, key: impl Into<String>, value: impl Serialize) -> Self {
        self.code.push(Layer::value(ConfigOrigin::Code, key.into(), &value));
        self
    }

    /// Reads all layers.
    ///
    /// # Errors
    /// A file is missing, unreadable or not TOML; a default or a value that was set cannot be written as TOML; a variable is no text, or would replace a
    /// table.
    pub fn build(self) -> Result<Config, ConfigError> {
        let tree = layer::merge(&[&self.defaults, &self.files], &self.environments, &self.code)?;
        Ok(Config { inner: Arc::new(Inner { tree, builder: self }) })
    }
}
