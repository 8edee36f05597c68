//! What checks say of a module's health.

use std::fmt;
use std::time::Duration;

/// How well a module is.
///
/// A module says so of itself with [`#[health]`](macro@crate::health).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(any(feature = "observe", feature = "wire"), derive(serde::Serialize, serde::Deserialize))]
pub enum HealthStatus {
    /// As it should be.
    #[default]
    Healthy,
    /// It works, with this trouble.
    Degraded(String),
    /// It does not work, for this reason.
    Unhealthy(String),
}

impl HealthStatus {
    /// Whether it is [`Healthy`](Self::Healthy).
    #[must_use]
    pub const fn is_healthy(&self) -> bool {
        matches!(self, Self::Healthy)
    }

    /// What is wrong.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Healthy => None,
            Self::Degraded(reason) | Self::Unhealthy(reason) => Some(reason),
        }
    }

    /// The worst of all, of equally bad ones the first; [`Healthy`](Self::Healthy) if there are none. It is how a module with children is: the worst one wins.
    #[must_use]
    pub fn worst(statuses: impl IntoIterator<Item = Self>) -> Self {
        let worse = |worst: Self, status: Self| if status.level() > worst.level() { status } else { worst };
        statuses.into_iter().fold(Self::Healthy, worse)
    }

    const fn level(&self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Degraded(_) => 1,
            Self::Unhealthy(_) => 2,
        }
    }
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Healthy => f.write_str("healthy"),
            Self::Degraded(reason) => write!(f, "degraded: {reason}"),
            Self::Unhealthy(reason) => write!(f, "unhealthy: {reason}"),
        }
    }
}

/// How many checks in a row decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HealthThresholds {
    /// So many failures in a row make a module unhealthy; fewer degrade it. 0 is taken as 1.
    pub failures: u32,
    /// So many successes in a row make it healthy again. 0 is taken as 1.
    pub successes: u32,
}

impl HealthThresholds {
    /// The third failure is one too many, two successes heal.
    pub const DEFAULT: Self = Self { failures: 3, successes: 2 };
}

impl Default for HealthThresholds {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// When a module is checked, and how many checks decide.
///
/// [`#[health]`](macro@crate::health) says so for a type, [`Register::health_schedule`](crate::Register::health_schedule) for one module of it.
///
/// ```
/// use dms::recovery::HealthSchedule;
/// use std::time::Duration;
///
/// let often = HealthSchedule { every: Duration::from_secs(1), ..HealthSchedule::DEFAULT };
/// assert_eq!(often.timeout, Duration::from_secs(5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HealthSchedule {
    /// How long from one check to the next; the first one comes so long after the module has begun to run. What is below a millisecond is taken as one. With
    /// [`Duration::MAX`] it is checked only when [somebody asks](crate::ModuleRef::check_health).
    pub every: Duration,
    /// How long a check may take before it has failed. What is below a millisecond is taken as one, what is above a year as a year.
    pub timeout: Duration,
    /// How many checks in a row decide.
    pub thresholds: HealthThresholds,
}

impl HealthSchedule {
    /// Each 10 s, for 5 s at most, with the [thresholds](HealthThresholds::DEFAULT) of a module that says nothing else.
    pub const DEFAULT: Self =
        Self { every: Duration::from_secs(10), timeout: Duration::from_secs(5), thresholds: HealthThresholds::DEFAULT };
}

impl Default for HealthSchedule {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How one module is, by its checks so far.
///
/// ```
/// use dms::recovery::{HealthMonitor, HealthStatus};
///
/// let failed = || HealthStatus::Unhealthy("no answer".to_owned());
/// let mut monitor = HealthMonitor::default();
/// assert_eq!(monitor.record(HealthStatus::Healthy), None);
/// assert_eq!(monitor.record(failed()), Some(&HealthStatus::Degraded("no answer".to_owned())));
/// assert_eq!(monitor.record(failed()), None);
/// assert_eq!(monitor.record(failed()), Some(&failed()));
/// assert_eq!(monitor.record(HealthStatus::Healthy), None);
/// assert_eq!(monitor.record(HealthStatus::Healthy), Some(&HealthStatus::Healthy));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HealthMonitor {
    thresholds: HealthThresholds,
    status: HealthStatus,
    /// In a row, up to now.
    failures: u32,
    /// In a row, up to now.
    successes: u32,
}

impl HealthMonitor {
    /// Of a module that is taken to be healthy.
    #[must_use]
    pub const fn new(thresholds: HealthThresholds) -> Self {
        Self { thresholds, status: HealthStatus::Healthy, failures: 0, successes: 0 }
    }

    /// How it is.
    #[must_use]
    pub const fn status(&self) -> &HealthStatus {
        &self.status
    }

    /// Takes in what a check said; returns how the module is now, if that is not what it was.
    ///
    /// `Unhealthy` is a check that failed; one that panicked or took too long is one, too. It degrades a module, and makes it unhealthy when it is the last of as many
    /// in a row as the threshold says. `Healthy` is a success. A check that says `Degraded` is neither: it ends both rows, and degrades a healthy module at once. An
    /// unhealthy module stays so until it is healthy.
    ///
    /// A new reason alone is no change; [`status`](Self::status) has the latest.
    pub fn record(&mut self, check: HealthStatus) -> Option<&HealthStatus> {
        let before = self.status.level();
        match check {
            HealthStatus::Healthy => {
                self.failures = 0;
                self.successes = self.successes.saturating_add(1);
                if self.successes >= self.thresholds.successes {
                    self.status = HealthStatus::Healthy;
                }
            }
            HealthStatus::Degraded(reason) => {
                (self.failures, self.successes) = (0, 0);
                self.worsen(HealthStatus::Degraded(reason));
            }
            HealthStatus::Unhealthy(reason) => {
                self.failures = self.failures.saturating_add(1);
                self.successes = 0;
                let is_last = self.failures >= self.thresholds.failures || before == 2;
                self.worsen(if is_last { HealthStatus::Unhealthy(reason) } else { HealthStatus::Degraded(reason) });
            }
        }
        (self.status.level() != before).then_some(&self.status)
    }

    /// Forgets all checks: the module has been started again.
    pub fn reset(&mut self) {
        *self = Self::new(self.thresholds);
    }

    fn worsen(&mut self, status: HealthStatus) {
        if status.level() >= self.status.level() {
            self.status = status;
        }
    }
}

/// How many modules are how well.
///
/// ```
/// use dms::recovery::{HealthStatus, HealthSummary};
///
/// let trouble = HealthStatus::Degraded("slow".to_owned());
/// let summary: HealthSummary = [&HealthStatus::Healthy, &HealthStatus::Healthy, &trouble].into_iter().collect();
/// assert_eq!((summary.healthy, summary.degraded, summary.percent()), (2, 1, 66));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(any(feature = "observe", feature = "wire"), derive(serde::Serialize, serde::Deserialize))]
pub struct HealthSummary {
    /// How many are healthy.
    pub healthy: usize,
    /// How many are degraded.
    pub degraded: usize,
    /// How many are unhealthy.
    pub unhealthy: usize,
}

impl HealthSummary {
    /// How many there are.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.healthy + self.degraded + self.unhealthy
    }

    /// How many of a hundred are healthy, rounded down, so that 100 means all; 100 also if there are none.
    #[must_use]
    pub fn percent(&self) -> u8 {
        let percent = (self.healthy as u128 * 100).checked_div(self.total() as u128).unwrap_or(100);
        u8::try_from(percent).unwrap_or(100)
    }
}

impl<'a> FromIterator<&'a HealthStatus> for HealthSummary {
    fn from_iter<I: IntoIterator<Item = &'a HealthStatus>>(statuses: I) -> Self {
        let mut summary = Self::default();
        for status in statuses {
            match status {
                HealthStatus::Healthy => summary.healthy += 1,
                HealthStatus::Degraded(_) => summary.degraded += 1,
                HealthStatus::Unhealthy(_) => summary.unhealthy += 1,
            }
        }
        summary
    }
}
