//! How often is too often.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// How many restarts within how much time are borne: `intensity` and `period` of OTP's supervisors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RestartIntensity {
    /// So many restarts happen; the failure after them escalates. With 0 the first one does.
    pub max_restarts: u32,
    /// The time that the restarts are counted in, its both ends included.
    pub within: Duration,
}

impl RestartIntensity {
    /// 5 restarts within 60 s.
    pub const DEFAULT: Self = Self::new(5, Duration::from_mins(1));

    /// `max_restarts` within the time `within`.
    #[must_use]
    pub const fn new(max_restarts: u32, within: Duration) -> Self {
        Self { max_restarts, within }
    }
}

impl Default for RestartIntensity {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The restarts that still count.
///
/// They are counted [as OTP's supervisor does](https://www.erlang.org/doc/system/sup_princ.html#tuning-the-intensity-and-period): over a window that ends now, and
/// not in periods one after the other, so that it makes no difference when the first failure came. At most as many instants are kept as there may be restarts.
///
/// ```
/// use std::time::Duration;
/// use dms::recovery::{RecentRestarts, RestartIntensity};
/// use tokio::time::Instant;
///
/// let mut restarts = RecentRestarts::new(RestartIntensity::new(5, Duration::from_secs(60)));
/// let begin = Instant::now();
/// for second in [0, 1, 2, 3, 4] {
///     assert!(restarts.allow(begin + Duration::from_secs(second)));
/// }
/// assert!(!restarts.allow(begin + Duration::from_secs(60)), "the sixth failure within the window");
/// assert!(restarts.allow(begin + Duration::from_millis(60_001)), "the first has left the window");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentRestarts {
    intensity: RestartIntensity,
    /// When they were, the oldest first.
    times: VecDeque<Instant>,
}

impl RecentRestarts {
    /// None so far. This allocates nothing.
    #[must_use]
    pub const fn new(intensity: RestartIntensity) -> Self {
        Self { intensity, times: VecDeque::new() }
    }

    /// Whether a failure at `now` may be met with a restart, which then counts; if not, it is to escalate.
    ///
    /// What is not allowed does not count. `now` does not go back.
    pub fn allow(&mut self, now: Instant) -> bool {
        self.forget(now);
        let allowed = self.times.len() < usize::try_from(self.intensity.max_restarts).unwrap_or(usize::MAX);
        if allowed {
            self.times.push_back(now);
        }
        allowed
    }

    /// How many restarts count at `now`.
    #[must_use]
    pub fn count(&self, now: Instant) -> usize {
        self.times.len() - self.times.partition_point(|time| !self.counts(*time, now))
    }

    fn forget(&mut self, now: Instant) {
        while self.times.front().is_some_and(|time| !self.counts(*time, now)) {
            self.times.pop_front();
        }
    }

    /// As `R >= Now - Period` in OTP's `supervisor:add_restart`.
    fn counts(&self, time: Instant, now: Instant) -> bool {
        now.saturating_duration_since(time) <= self.intensity.within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_of_crashes_keeps_as_many_instants_as_there_may_be_restarts() {
        let mut restarts = RecentRestarts::new(RestartIntensity::new(5, Duration::from_secs(1)));
        let begin = Instant::now();
        for crash in 0..100_000 {
            restarts.allow(begin + Duration::from_millis(crash));
            assert!(restarts.times.len() <= 5);
        }
        assert!(restarts.times.capacity() <= 8, "{}", restarts.times.capacity());
    }
}
