//! The settings of a breaker.

use std::sync::Arc;
use std::time::Duration;

use super::call::CircuitBreaker;
use super::circuit::Settings;

/// The settings of a [`CircuitBreaker`], from [`CircuitBreaker::builder`].
///
/// ```
/// use std::time::Duration;
/// use dms::recovery::CircuitBreaker;
///
/// let breaker = CircuitBreaker::builder("payments").failures(3).open_for(Duration::from_secs(10)).probes(1).successes(1).build();
/// assert_eq!(breaker.name(), "payments");
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder makes nothing until `build` is called"]
pub struct BreakerBuilder {
    name: Arc<str>,
    settings: Settings,
}

impl BreakerBuilder {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self { name, settings: Settings::DEFAULT }
    }

    /// After so many failures in a row the breaker opens; 5 without this, and 0 is taken as 1.
    pub fn failures(mut self, failures: u32) -> Self {
        self.settings.failures = failures.max(1);
        self
    }

    /// How long it stays open before it lets a probe through; 30 s without this.
    pub fn open_for(mut self, time: Duration) -> Self {
        self.settings.open_for = time;
        self
    }

    /// How many probes may be under way at once while it is half-open; 3 without this, and 0 is taken as 1.
    pub fn probes(mut self, probes: u32) -> Self {
        self.settings.probes = probes.max(1);
        self
    }

    /// After so many probes that succeed it closes; 2 without this, and 0 is taken as 1.
    pub fn successes(mut self, successes: u32) -> Self {
        self.settings.successes = successes.max(1);
        self
    }

    /// Makes the breaker, closed.
    #[must_use]
    pub fn build(self) -> CircuitBreaker {
        CircuitBreaker::of(self.name, self.settings)
    }
}
