//! The settings of a system.

use std::time::Duration;

use super::registry::Shared;
use super::system::System;
use crate::Timeout;
use crate::module::environment::Environment;

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
}

impl SystemBuilder {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), timeout: Timeout::Inherit }
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

    /// Makes the system. It owns no task until a module is registered.
    #[must_use]
    pub fn build(self) -> System {
        System::of(Shared::new(self.name, Environment::new(self.timeout)))
    }
}
