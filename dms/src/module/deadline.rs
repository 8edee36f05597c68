//! When a call gives up.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::time::Instant;

use super::info::{DEFAULT_ASK_TIMEOUT, Timeout};

/// The time between two sweeps over the mailboxes (see [`super::timers`]).
pub(crate) const SWEEP_INTERVAL: Duration = Duration::from_nanos(SWEEP_NANOS as u64);

const SWEEPS_PER_SECOND: u64 = 10;
const SWEEP_NANOS: u32 = 100_000_000;

/// From here on a deadline that the call did not set is kept in sweeps: at most 10 % late, at next to no cost.
const COARSE_FROM: Duration = Duration::from_millis(2_500);

/// When a call gives up, in one word: it goes with every ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline(u64);

/// A [`Deadline`] unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Never,
    /// With the sweep of this number: coarse, and next to free.
    Sweep(u32),
    At(Instant),
}

/// Marks the number of a sweep.
const SWEEP: u64 = 1 << 62;
/// Marks the nanoseconds from [`EPOCH`] to an instant, plus [`MIDDLE`]: a paused clock may stand before the epoch.
const AT: u64 = 1 << 63;
const MIDDLE: u64 = 1 << 61;

/// What instants are measured from: 73 years in either direction.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Deadline {
    pub(crate) const NEVER: Self = Self(0);

    pub(crate) const fn sweep(sweep: u32) -> Self {
        Self(SWEEP | sweep as u64)
    }

    pub(crate) fn at(at: Instant) -> Self {
        let nanos = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let offset = match at.checked_duration_since(*EPOCH) {
            Some(after) => MIDDLE.saturating_add(nanos(after)),
            None => MIDDLE.saturating_sub(nanos(EPOCH.duration_since(at))),
        };
        if offset < SWEEP { Self(AT | offset) } else { Self::NEVER }
    }

    /// As a number, for an atomic.
    pub(crate) const fn to_bits(self) -> u64 {
        self.0
    }

    /// From [`to_bits`](Self::to_bits).
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) fn when(self) -> When {
        match self.0 {
            0 => When::Never,
            bits if bits & AT != 0 => {
                let offset = bits & !AT;
                let span = Duration::from_nanos(offset.abs_diff(MIDDLE));
                let at = if offset >= MIDDLE { EPOCH.checked_add(span) } else { EPOCH.checked_sub(span) };
                at.map_or(When::Never, When::At)
            }
            #[allow(clippy::cast_possible_truncation, reason = "the lower half is the number")]
            bits => When::Sweep(bits as u32),
        }
    }

    pub(crate) const fn is_never(self) -> bool {
        self.0 == 0
    }

    /// The number of the sweep it passes with, if the sweeps look after it.
    #[inline]
    pub(crate) const fn as_sweep(self) -> Option<u32> {
        #[allow(clippy::cast_possible_truncation, reason = "the lower half is the number")]
        if self.is_coarse() { Some(self.0 as u32) } else { None }
    }

    /// Whether the sweeps look after it.
    pub(crate) const fn is_coarse(self) -> bool {
        self.0 & SWEEP != 0 && self.0 & AT == 0
    }

    /// The earlier of `own`, which is how long a call of its own would wait, and of what the caller itself has left (contract M4);
    /// and how long that is from now.
    pub(crate) fn of_call(own: Patience, inherited: Self, sweeps_now: u32) -> (Self, Duration) {
        let Some(after) = own.after else { return (inherited, inherited.left(sweeps_now)) };
        if inherited.is_never() {
            return (own.deadline(after, sweeps_now), after);
        }
        let left = inherited.left(sweeps_now);
        if left <= after {
            (inherited, left)
        } else if inherited.is_coarse() {
            (own.deadline(after, sweeps_now), after)
        } else {
            (after_now(after), after)
        }
    }

    /// What [`of_call`](Self::of_call) gives where nothing is inherited and the sweeps look after the call.
    #[inline]
    pub(crate) const fn after_sweeps(sweeps: NonZeroU32, sweeps_now: u32) -> Self {
        Self::sweep(sweeps_now.wrapping_add(sweeps.get()))
    }

    /// How much time is left until it passes.
    pub(crate) fn left(self, sweeps_now: u32) -> Duration {
        match self.when() {
            When::Never => Duration::MAX,
            When::Sweep(sweep) => SWEEP_INTERVAL * sweeps_until(sweep, sweeps_now),
            When::At(at) => at.saturating_duration_since(Instant::now()),
        }
    }

    /// The same deadline for a system whose sweeps count otherwise.
    pub(crate) fn in_other_system(self, sweeps_now: u32) -> Self {
        if self.is_coarse() { after_now(self.left(sweeps_now)) } else { self }
    }

    /// Whether the sweep it is kept in has been.
    #[inline]
    pub(crate) fn is_swept(self, sweeps_now: u32) -> bool {
        self.as_sweep().is_some_and(|sweep| sweeps_until(sweep, sweeps_now) == 0)
    }
}

/// How long a call waits where nothing is inherited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// `None` waits for ever.
    after: Option<Duration>,
    /// The sweep with which that has passed, from the last one on, where the sweeps look after it.
    sweeps: Option<NonZeroU32>,
}

impl Patience {
    /// What calls have where neither they nor the module set a deadline: the system's, else the default.
    pub(crate) fn of_system(system: Timeout) -> Self {
        match system {
            Timeout::After(after) => Self::coarse(after),
            Timeout::Inherit => Self::coarse(DEFAULT_ASK_TIMEOUT),
            Timeout::Never => Self::of_call(None),
        }
    }

    /// What calls have that set no deadline themselves: the module's, else the system's.
    #[inline]
    pub(crate) fn of_module(module: Timeout, system: Self) -> Self {
        match module {
            Timeout::After(after) => Self::coarse(after),
            Timeout::Inherit => system,
            Timeout::Never => Self::of_call(None),
        }
    }

    /// Kept by the sweeps, unless it is too short for them.
    fn coarse(after: Duration) -> Self {
        Self { after: Some(after), sweeps: if after < COARSE_FROM { None } else { in_sweeps(after) } }
    }

    /// What a call has that sets its deadline: exact.
    pub(crate) const fn of_call(after: Option<Duration>) -> Self {
        Self { after, sweeps: None }
    }

    pub(crate) const fn after(self) -> Option<Duration> {
        self.after
    }

    /// The sweep with which that has passed, from the last one on, where the sweeps look after it.
    pub(crate) const fn sweeps(self) -> Option<NonZeroU32> {
        self.sweeps
    }

    fn deadline(self, after: Duration, sweeps_now: u32) -> Deadline {
        self.sweeps.map_or_else(|| after_now(after), |sweeps| Deadline::after_sweeps(sweeps, sweeps_now))
    }
}

/// The running interval between two sweeps does not count, so that a deadline is never early.
fn in_sweeps(after: Duration) -> Option<NonZeroU32> {
    let sweeps = after.as_secs().saturating_mul(SWEEPS_PER_SECOND);
    let sweeps = sweeps.saturating_add(u64::from(after.subsec_nanos().div_ceil(SWEEP_NANOS)));
    u32::try_from(sweeps).ok().filter(|sweeps| *sweeps < u32::MAX / 4).and_then(|sweeps| NonZeroU32::new(sweeps + 1))
}

fn after_now(after: Duration) -> Deadline {
    Instant::now().checked_add(after).map_or(Deadline::NEVER, Deadline::at)
}

/// Sweep numbers wrap after thirteen years; what lies half the circle ahead has passed.
#[inline]
fn sweeps_until(sweep: u32, now: u32) -> u32 {
    let ahead = sweep.wrapping_sub(now);
    if ahead > u32::MAX / 2 { 0 } else { ahead }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.when().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_wrap_without_passing_early() {
        let deadline = Deadline::sweep(u32::MAX.wrapping_add(3));
        assert!(!deadline.is_swept(u32::MAX));
        assert!(deadline.is_swept(2));
        assert_eq!(deadline.left(u32::MAX), SWEEP_INTERVAL * 3);
    }

    #[test]
    fn an_instant_survives_its_packing_on_either_side_of_the_epoch() {
        for (ahead, span) in [(true, 0), (true, 1), (true, u64::MAX >> 8), (false, 1), (false, 10_000_000_000)] {
            let span = Duration::from_nanos(span);
            let at = if ahead { *EPOCH + span } else { *EPOCH - span };
            assert_eq!(Deadline::at(at).when(), When::At(at));
            assert!(!Deadline::at(at).is_coarse());
        }
    }
}
