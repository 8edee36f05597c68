//! How long to wait before the next attempt.

use std::time::Duration;

/// How long to wait before something is tried again: twice as long each time, up to a cap, spread by chance.
///
/// Attempts are counted from 0, which is the first one *after* a failure.
///
/// ```
/// use std::time::Duration;
/// use dms::recovery::{Backoff, Jitter};
///
/// const RECONNECT: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(30));
/// assert_eq!(RECONNECT.ceiling(0), Duration::from_millis(100));
/// assert_eq!(RECONNECT.ceiling(3), Duration::from_millis(800));
/// assert_eq!(RECONNECT.ceiling(u32::MAX), Duration::from_secs(30));
///
/// // With the number that chance gives, here a fixed one, a delay is somewhere up to that.
/// assert_eq!(RECONNECT.delay(3, u64::MAX / 4), Duration::from_millis(200));
/// assert_eq!(RECONNECT.jitter(Jitter::Equal).delay(3, u64::MAX / 4), Duration::from_millis(500));
/// assert_eq!(RECONNECT.jitter(Jitter::None).delay(3, u64::MAX / 4), Duration::from_millis(800));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Backoff {
    initial: Duration,
    cap: Duration,
    jitter: Jitter,
    /// How long a run must have lasted for the next delay to be the first again.
    stable_after: Duration,
}

/// How chance spreads delays, so that those who failed together do not come back together.
///
/// The names are those of Marc Brooker's article on [exponential backoff and jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
/// His third one, decorrelated jitter, is left out: it needs the delay before, and once that has come to the cap, two of three of its delays are the cap exactly,
/// where all that fail meet again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Jitter {
    /// Anything above zero, up to the whole delay. Of many that call one, it makes for the fewest calls until all are through.
    #[default]
    Full,
    /// Half of the delay, and up to as much again by chance. For what must not come back at once, as a module that is started again.
    Equal,
    /// The whole delay, always.
    None,
}

impl Backoff {
    /// From 100 ms to 30 s.
    pub const DEFAULT: Self = Self::new(Duration::from_millis(100), Duration::from_secs(30));

    /// Waits up to `initial` before the first attempt after a failure, and never longer than `cap`, with [`Jitter::Full`].
    ///
    /// An `initial` above the cap is taken as the cap. One of zero never waits.
    #[must_use]
    pub const fn new(initial: Duration, cap: Duration) -> Self {
        Self { initial, cap, jitter: Jitter::Full, stable_after: cap }
    }

    /// Spreads delays in another way.
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// A run of at least this long counts as stable: after it, [`Delays`] begin again. Without this it is the cap.
    #[must_use]
    pub const fn stable_after(mut self, run: Duration) -> Self {
        self.stable_after = run;
        self
    }

    /// The longest delay before this attempt: `initial · 2^attempt`, or the cap. Every `attempt` is fine.
    #[must_use]
    pub const fn ceiling(&self, attempt: u32) -> Duration {
        let initial = self.initial.as_nanos();
        let cap = self.cap.as_nanos();
        if initial == 0 {
            return Duration::ZERO;
        }
        // A shift by less than the leading zeros loses no bit.
        if attempt >= initial.leading_zeros() || initial << attempt >= cap {
            return self.cap;
        }
        Duration::from_nanos_u128(initial << attempt)
    }

    /// How long to wait before this attempt.
    ///
    /// `random` is any number, each as likely as the others; the same one gives the same delay, and the greatest the [`ceiling`](Self::ceiling).
    #[must_use]
    pub const fn delay(&self, attempt: u32, random: u64) -> Duration {
        let ceiling = self.ceiling(attempt).as_nanos();
        let certain = match self.jitter {
            Jitter::Full => 0,
            Jitter::Equal => ceiling / 2,
            Jitter::None => ceiling,
        };
        // The longest duration has 94 bits, so 32 more fit.
        let share = (random >> 32) as u128 + 1;
        Duration::from_nanos_u128(certain + (((ceiling - certain) * share) >> 32))
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The delays of one thing that fails again and again, one after the other, until it has run well for a while.
///
/// ```
/// use std::time::Duration;
/// use dms::recovery::{Backoff, Delays, Jitter};
///
/// let seconds = Duration::from_secs;
/// let mut delays = Delays::new(Backoff::new(seconds(1), seconds(60)).jitter(Jitter::None));
/// assert_eq!(delays.after_run(seconds(0), 0), seconds(1));
/// assert_eq!(delays.after_run(seconds(10), 0), seconds(2));
/// // It ran for as long as the longest delay: what was before is forgotten.
/// assert_eq!(delays.after_run(seconds(60), 0), seconds(1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Delays {
    backoff: Backoff,
    attempt: u32,
}

impl Delays {
    /// Begins with the first delay of `backoff`.
    #[must_use]
    pub const fn new(backoff: Backoff) -> Self {
        Self { backoff, attempt: 0 }
    }

    /// How long to wait after a failure that ended a run of `ran_for`; see [`Backoff::delay`] for `random`.
    pub fn after_run(&mut self, ran_for: Duration, random: u64) -> Duration {
        if ran_for >= self.backoff.stable_after {
            self.attempt = 0;
        }
        let delay = self.backoff.delay(self.attempt, random);
        self.attempt = self.attempt.saturating_add(1);
        delay
    }

    /// How many failures there were since the last stable run: the attempt that the next delay comes before.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }
}
