//! Whether a module is started again after it has ended.

use std::time::Duration;

use super::backoff::{Backoff, Jitter};
use super::intensity::RestartIntensity;

/// Whether a module is started again after it has ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RestartPolicy {
    /// It is not: OTP's `temporary`.
    #[default]
    Never,
    /// After a failure: OTP's `transient`.
    OnFailure,
    /// After a failure, and after a normal end: OTP's `permanent`.
    Always,
}

/// How a module ended, as far as a restart depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// It was through, or somebody who has a reference asked it to stop.
    Normal,
    /// It panicked, a hook or a task returned an error, a health check failed, or a handler took too long.
    Failure,
    /// Whoever supervises it stopped it. It is not started again, except by the plan that it was stopped for.
    Shutdown,
}

impl RestartPolicy {
    /// Whether a module with this policy is started again after such an end.
    #[must_use]
    pub const fn restarts(self, exit: Exit) -> bool {
        match exit {
            Exit::Normal => matches!(self, Self::Always),
            Exit::Failure => !matches!(self, Self::Never),
            Exit::Shutdown => false,
        }
    }
}

/// How a module is started again: the policy, how often within how much time, and after which delays.
///
/// ```
/// use std::time::Duration;
/// use dms::recovery::{Backoff, Restart};
///
/// const RESTART: Restart = Restart::on_failure()
///     .max_restarts(5, Duration::from_secs(60))
///     .backoff(Backoff::new(Duration::from_millis(100), Duration::from_secs(30)));
/// assert_eq!(RESTART.intensity.max_restarts, 5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Restart {
    /// Whether it is.
    pub policy: RestartPolicy,
    /// How often, before a failure escalates.
    pub intensity: RestartIntensity,
    /// How long to wait before it is.
    pub backoff: Backoff,
}

impl Restart {
    /// Is not started again.
    #[must_use]
    pub const fn never() -> Self {
        Self::with(RestartPolicy::Never)
    }

    /// Is started again after a failure.
    #[must_use]
    pub const fn on_failure() -> Self {
        Self::with(RestartPolicy::OnFailure)
    }

    /// Is started again after a failure, and after a normal end.
    #[must_use]
    pub const fn always() -> Self {
        Self::with(RestartPolicy::Always)
    }

    /// How many restarts happen within the time `within`; the failure after them escalates. Without this it is [`RestartIntensity::DEFAULT`].
    #[must_use]
    pub const fn max_restarts(mut self, max_restarts: u32, within: Duration) -> Self {
        self.intensity = RestartIntensity::new(max_restarts, within);
        self
    }

    /// How long to wait before each restart. Without this it is [`Backoff::DEFAULT`] with [`Jitter::Equal`].
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    const fn with(policy: RestartPolicy) -> Self {
        let backoff = Backoff::DEFAULT.jitter(Jitter::Equal);
        Self { policy, intensity: RestartIntensity::DEFAULT, backoff }
    }
}

impl Default for Restart {
    fn default() -> Self {
        Self::never()
    }
}
