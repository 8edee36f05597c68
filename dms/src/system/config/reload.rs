//! The configuration of a system, and how it is read again.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use tokio::sync::Mutex as AsyncMutex;

use super::access::section;
use super::changed::{ConfigChanged, ConfigReload};
use super::tree::{changes, find, table};
use super::{Config, ConfigError};
use crate::SystemRef;
use crate::event::Published;
use crate::module::cell::Core;
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

    /// Reads the files and the environment again, and tells the modules whose settings are not what they were: each that takes
    /// [`ConfigChanged`](crate::event::ConfigChanged) in an `#[event]` handler gets one, with its keys that changed.
    ///
    /// Who does not take it sees what is new when it reads it next. A system without a configuration, and one that is gone, has nothing to reload. Of two reloads
    /// at once the second begins when the first is through, so that the events of both come in order.
    ///
    /// The system does not watch the files: a reload is asked for, by an operator, a signal, or a module that looks now and then.
    ///
    /// ```
    /// use dms::prelude::*;
    ///
    /// #[module]
    /// struct Reloader;
    ///
    /// #[module]
    /// impl Reloader {
    ///     #[tick(every = "5s")]
    ///     async fn look(&mut self, ctx: &mut Context<Self>) {
    ///         if let Err(error) = ctx.system().reload_config().await {
    ///             tracing::warn!("the settings stay as they were: {error}");
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// As of [`ConfigBuilder::build`](crate::ConfigBuilder::build). Then the configuration stays as it was, whole, and nobody is told anything.
    ///
    /// # Cancel safety
    /// Cancel safe: the configuration changes at once, with all events about it, or not at all.
    pub async fn reload_config(&self) -> Result<ConfigReload, ConfigError> {
        let Some(shared) = self.shared() else {
            return Ok(ConfigReload { sections: Vec::new(), published: Published::nobody() });
        };
        let _alone = shared.config.reloading.lock().await;
        let new = read_again(&shared, shared.config.current()).await?;
        let old = shared.config.replace(new.clone());
        // Whoever read the old one has subscribed by now, if it does in its declaration.
        let published = shared.publish_each(|module| change(module, &old, &new));
        Ok(ConfigReload { sections: changed_sections(&old, &new), published })
    }
}

/// Reads on a thread where it may block, if there is a runtime that has one.
async fn read_again(shared: &Shared, config: Config) -> Result<Config, ConfigError> {
    let again = config.clone();
    let read = move || again.inner.builder.clone().build();
    #[expect(clippy::disallowed_methods, reason = "it is awaited here")]
    let reading = shared.environment.runtime().map(|runtime| runtime.spawn_blocking(read));
    match reading {
        Some(reading) => match reading.await {
            Ok(read) => read,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is going down, and reads no more.
            Err(_) => config.inner.builder.clone().build(),
        },
        None => config.inner.builder.clone().build(),
    }
}

/// Which section the module read and which it reads now: what differs between these.
fn change(module: &Core, old: &Config, new: &Config) -> Option<ConfigChanged> {
    let (before, section) = (section(module, old), section(module, new));
    let keys = changes(find(&old.inner.tree, &before), find(&new.inner.tree, &section))?;
    Some(ConfigChanged { section, keys })
}

/// The sections that are not what they were.
fn changed_sections(old: &Config, new: &Config) -> Vec<String> {
    let (old, new) = (table(&old.inner.tree), table(&new.inner.tree));
    let names: BTreeSet<_> = old.into_iter().chain(new).flat_map(|table| table.keys()).collect();
    let is_changed = |name: &str| {
        let (old, new) = (old.and_then(|table| table.get(name)), new.and_then(|table| table.get(name)));
        changes(old, new).is_some()
    };
    names.into_iter().filter(|name| is_changed(name)).cloned().collect()
}
