//! The settings of a system.

use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "config")]
use super::config::Config;
use super::registry::Shared;
use super::sources;
use super::system::System;
use crate::Timeout;
use crate::module::environment::Environment;
use crate::recovery::Strategy;

/// Sets up a [`System`].
///
/// ```
/// # use dms::prelude::*;
/// # use std::time::Duration;
/// let system = System::builder("shop").ask_timeout(Duration::from_secs(1)).build();
/// assert_eq!(system.name(), "shop");
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct SystemBuilder {
    name: String,
    timeout: Timeout,
    #[cfg(feature = "config")]
    config: Config,
    #[cfg(feature = "wire")]
    max_payload: usize,
    strategy: Strategy,
    sources: sources::Settings,
    watchdog: Option<Duration>,
}

impl SystemBuilder {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            timeout: Timeout::Inherit,
            #[cfg(feature = "config")]
            config: Config::default(),
            #[cfg(feature = "wire")]
            max_payload: crate::MAX_PAYLOAD,
            strategy: Strategy::OneForOne,
            sources: sources::Settings::default(),
            watchdog: None,
        }
    }

    /// The deadline of asks for which neither the call nor the module sets one; [`DEFAULT_ASK_TIMEOUT`](crate::DEFAULT_ASK_TIMEOUT) without this.
    pub fn ask_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Timeout::After(timeout);
        self
    }

    /// Lets asks wait for as long as it takes, unless the call or the module sets a deadline.
    pub fn no_ask_timeout(mut self) -> Self {
        self.timeout = Timeout::Never;
        self
    }

    /// Gives the system and its modules their settings: [`Config::builder`] reads them, a module has them from [`Context`](crate::Context).
    #[cfg(feature = "config")]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Says which of the modules that have no parent are started again when one of them is; that one alone without this. What is not
    /// [to be started again](crate::Register::restart) is stopped where the strategy names it.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// The most bytes that a request by name may have as its payload, and as its reply; [`MAX_PAYLOAD`](crate::MAX_PAYLOAD) without this.
    #[cfg(feature = "wire")]
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = bytes;
        self
    }

    /// Publishes a [`Tick`](crate::event::Tick) at this period, while a module subscribes to it. Without this there are none.
    ///
    /// The n-th is due n periods after the system was built, without drift; those that are due while the runtime's threads are busy come as one. A period below a
    /// millisecond is taken as one.
    pub fn tick_every(mut self, period: Duration) -> Self {
        self.sources.tick_every = Some(period);
        self
    }

    /// Looks for [`MemoryPressure`](crate::event::MemoryPressure) and [`CpuHotplug`](crate::event::CpuHotplug) at this period, while a module subscribes to them; each
    /// second without this. A period below a millisecond is taken as one.
    pub fn watch_host_every(mut self, period: Duration) -> Self {
        self.sources.look_every = period.max(sources::SHORTEST);
        self
    }

    /// Where the kernel's `proc` and `sys` are found: `/` without this. A container that has those of its host mounted elsewhere says so here, as in
    /// `host_root("/host")`.
    pub fn host_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.sources.root = root.into();
        self
    }

    /// Looks for handlers and hooks that have been running for so long, and tells of each: as a warning, and as an event
    /// [`HandlerStuck`](crate::event::HandlerStuck). Without this nobody looks, since it takes a timer, and each module notes what it runs.
    ///
    /// The look comes four times in this time, while there are modules, on Tokio's clock; so a handler is told of at most a quarter later. One that blocks its thread is found
    /// too, where the runtime has another thread to look on. Below 4 ms the look comes each millisecond.
    ///
    /// ```
    /// # use dms::prelude::*;
    /// # use std::time::Duration;
    /// let system = System::builder("shop").watchdog(Duration::from_secs(10)).build();
    /// ```
    pub fn watchdog(mut self, after: Duration) -> Self {
        self.watchdog = Some(after);
        self
    }

    /// Makes the system. It owns no task until a module is registered.
    #[must_use]
    pub fn build(self) -> System {
        let mut environment = Environment::new(self.timeout);
        environment.is_watched = self.watchdog.is_some();
        #[cfg(feature = "wire")]
        {
            environment.max_payload = self.max_payload;
        }
        let shared = Shared::new(self.name, environment, self.strategy, self.sources, self.watchdog);
        #[cfg(feature = "config")]
        shared.config.replace(self.config);
        System::of(shared)
    }
}
