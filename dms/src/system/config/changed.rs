//! What modules and the program are told of a configuration that was read again.

use crate::event::Published;

/// The settings of the module that gets this have changed. Its handler reads the new ones, as [`Context::config_as`](crate::Context::config_as) gives them from now on.
///
/// [`SystemRef::reload_config`](crate::SystemRef::reload_config) publishes it, to each module that takes it and whose section is not what it was; a module whose
/// section stayed as it was does not get it. The section is that of which [`Context::config`](crate::Context::config) tells. A module with a number behind its name
/// gets it for `[worker]` while it reads that, and also where it changes over to a section of its own that says something else.
///
/// ```
/// use dms::{Config, event::ConfigChanged, prelude::*};
///
/// #[module(name = "store")]
/// #[derive(Default)]
/// struct Store { timeout: u64 }
///
/// #[module]
/// impl Store {
///     #[init]
///     fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
///         self.timeout = ctx.config_value("timeout")?;
///         Ok(())
///     }
///     #[event]
///     fn on_config_changed(&mut self, event: &ConfigChanged, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
///         if event.has_changed("timeout") {
///             // A mistake in the file leaves it as it was.
///             self.timeout = ctx.config_value("timeout")?;
///         }
///         Ok(())
///     }
///     #[handler(Timeout)]
///     fn timeout(&self) -> u64 { self.timeout }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("shop.toml");
/// std::fs::write(&path, "[store]\ntimeout = 5")?;
/// let config = Config::builder().file(&path).build()?;
/// let system = System::builder("shop").config(config).build();
/// let store = system.register_module(Store::default()).await?;
///
/// std::fs::write(&path, "[store]\ntimeout = 9")?;
/// let reload = system.reload_config().await?;
/// assert_eq!(reload.sections, ["store"]);
/// assert_eq!(reload.published.await.handled, 1);
/// assert_eq!(store.timeout().await?, 9);
/// # system.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConfigChanged {
    /// The section that the module reads now.
    pub section: String,
    /// The keys in it that came, went or have another value, sorted, as [`Context::config_value`](crate::Context::config_value) takes them: `timeout`,
    /// `pool.size`. Of lists the whole. Empty where the section is no table, but a single value.
    pub keys: Vec<String>,
}

impl ConfigChanged {
    /// Whether the value of `key` is not what it was; of a table, whether anything in it is not.
    ///
    /// ```
    /// # use dms::event::ConfigChanged;
    /// let event = ConfigChanged { section: "store".into(), keys: vec!["pool.size".into()] };
    /// assert!(event.has_changed("pool.size") && event.has_changed("pool"));
    /// assert!(!event.has_changed("pool.age") && !event.has_changed("po"));
    /// ```
    #[must_use]
    pub fn has_changed(&self, key: &str) -> bool {
        let holds = |table: &str, key: &str| key.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'));
        self.keys.iter().any(|changed| changed == key || holds(key, changed) || holds(changed, key))
    }
}

/// What a reload of the configuration changed, see [`SystemRef::reload_config`](crate::SystemRef::reload_config).
#[derive(Debug)]
#[non_exhaustive]
pub struct ConfigReload {
    /// The sections that have a value which came, went or is another now, sorted.
    pub sections: Vec<String>,
    /// The [`ConfigChanged`](crate::event::ConfigChanged) of all modules that got one, as one publication. Awaited, it tells what they made of it; it need not be awaited.
    pub published: Published,
}
