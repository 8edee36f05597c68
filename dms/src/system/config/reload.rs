//! The configuration of a system, and how it is read again.

use parking_lot::Mutex;
use tokio::sync::Mutex as AsyncMutex;

use super::tree::{is_same, table};
use super::{Config, ConfigError};
use crate::SystemRef;
use crate::system::registry::Shared;

/// The configuration that a system has now.
#[derive(Default)]
pub(in crate::system) struct ConfigStore {
    current: Mutex<Config>,
    /// Held while it is read again: of two at once the later begun ends later, with what it read.
    reloading: AsyncMutex<()>,
}

impl ConfigStore {
    /// Makes `config` the one that is read, and gives the one before.
    pub(in crate::system) fn replace(&self, config: Config) -> Config {
        std::mem::replace(&mut self.current.lock(), config)
    }

    fn current(&self) -> Config {
        self.current.lock().clone()
    }
}

impl SystemRef {
    /// The configuration as it is now; an empty one where the system has none or is gone.
    ///
    /// ```
    /// # use dms::{Config, prelude::*};
    /// let config = Config::builder().set("log.level", "debug").build()?;
    /// let system = System::builder("shop").config(config).build();
    /// assert_eq!(system.config().value::<String>("log.level")?, "debug");
    /// # Ok::<_, dms::ConfigError>(())
    /// ```
    #[must_use]
    pub fn config(&self) -> Config {
        self.shared().map(|shared| shared.config.current()).unwrap_or_default()
    }

    /// Reads the files and the environment again. Gives the names of the sections whose values changed, sorted.
    ///
    /// Modules see what is new when they read it next. A system without a configuration, and one that is gone, has nothing to reload.
    ///
    /// # Errors
    /// As of [`ConfigBuilder::build`](crate::ConfigBuilder::build). Then the configuration stays as it was, whole.
    ///
    /// # Cancel safety
    /// Cancel safe: the configuration changes at once, or not at all.
    pub async fn reload_config(&self) -> Result<Vec<String>, ConfigError> {
        let Some(shared) = self.shared() else { return Ok(Vec::new()) };
        let _alone = shared.config.reloading.lock().await;
        let new = read_again(&shared, shared.config.current()).await?;
        let old = shared.config.replace(new.clone());
        Ok(changed(&old, &new))
    }
}

/// Reads on a thread where it may block, if there is a runtime that has one.
async fn read_again(shared: &Shared, config: Config) -> Result<Config, ConfigError> {
    let again = config.clone();
    let read = move || again.inner.builder.clone().build();
    match shared.environment.runtime().map(|runtime| runtime.spawn_blocking(read)) {
        Some(reading) => match reading.await {
            Ok(read) => read,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is going down, and reads no more.
            Err(_) => config.inner.builder.clone().build(),
        },
        None => config.inner.builder.clone().build(),
    }
}

/// The sections that are not what they were.
fn changed(old: &Config, new: &Config) -> Vec<String> {
    let (old, new) = (table(&old.inner.tree), table(&new.inner.tree));
    let mut names: Vec<_> = old.into_iter().chain(new).flat_map(|table| table.keys()).collect();
    names.sort();
    names.dedup();
    let get = |table: Option<&'_ super::tree::Table>, name: &str| table.and_then(|table| table.get(name)).cloned();
    names.retain(|name| !is_same(get(old, name).as_ref(), get(new, name).as_ref()));
    names.into_iter().cloned().collect()
}
