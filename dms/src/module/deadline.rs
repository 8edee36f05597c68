//! When a call gives up.

use std::time::Duration;

use tokio::time::Instant;

use super::info::{DEFAULT_ASK_TIMEOUT, Timeout};

/// The time between two sweeps over the mailboxes (see [`super::timers`]).
pub(crate) const SWEEP_INTERVAL: Duration = Duration::from_nanos(SWEEP_NANOS as u64);

const SWEEPS_PER_SECOND: u64 = 10;
const SWEEP_NANOS: u32 = 100_000_000;

/// From here on a deadline that the call did not set is kept in sweeps: at most 10 % late, at next to no cost.
const COARSE_FROM: Duration = Duration::from_millis(2_500);

/// When a call gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deadline {
    Never,
    /// With the sweep of this number: coarse, and next to free.
    Sweep(u32),
    At(Instant),
}

impl Deadline {
    /// The number of the sweep it passes with, if it is kept in sweeps.
    pub(crate) const fn as_sweep(self) -> Option<u32> {
        match self {
            Self::Sweep(sweep) => Some(sweep),
            Self::Never | Self::At(_) => None,
        }
    }

    /// The deadline of a call, and how long that is from now: the earlier of what the settings say, call before module before
    /// system, and of what the caller itself has left (contract M4).
    #[inline]
    pub(crate) fn of_call(
        call: Timeout,
        module: Timeout,
        system: Timeout,
        inherited: Self,
        sweeps_now: u32,
    ) -> (Self, Duration) {
        let on_call = call != Timeout::Inherit;
        let own = match (call, module, system) {
            (Timeout::After(after), ..)
            | (Timeout::Inherit, Timeout::After(after), _)
            | (Timeout::Inherit, Timeout::Inherit, Timeout::After(after)) => Some(after),
            (Timeout::Inherit, Timeout::Inherit, Timeout::Inherit) => Some(DEFAULT_ASK_TIMEOUT),
            _ => None,
        };
        let Some(after) = own else { return (inherited, inherited.left(sweeps_now)) };
        let coarse = !on_call && after >= COARSE_FROM;
        match inherited {
            Self::Never if coarse => (Self::in_sweeps(after, sweeps_now), after),
            Self::Never => (after_now(after), after),
            _ => {
                let left = inherited.left(sweeps_now);
                if left <= after {
                    (inherited, left)
                } else if coarse && matches!(inherited, Self::Sweep(_)) {
                    (Self::in_sweeps(after, sweeps_now), after)
                } else {
                    (after_now(after), after)
                }
            }
        }
    }

    /// How much time is left until it passes.
    pub(crate) fn left(self, sweeps_now: u32) -> Duration {
        match self {
            Self::Never => Duration::MAX,
            Self::Sweep(sweep) => SWEEP_INTERVAL * sweeps_until(sweep, sweeps_now),
            Self::At(at) => at.saturating_duration_since(Instant::now()),
        }
    }

    /// The same deadline for a system whose sweeps count otherwise.
    pub(crate) fn in_other_system(self, sweeps_now: u32) -> Self {
        match self {
            Self::Never | Self::At(_) => self,
            Self::Sweep(_) => after_now(self.left(sweeps_now)),
        }
    }

    /// Whether the sweep it is kept in has been.
    pub(crate) fn is_swept(self, sweeps_now: u32) -> bool {
        matches!(self, Self::Sweep(sweep) if sweeps_until(sweep, sweeps_now) == 0)
    }

    /// The running interval between two sweeps does not count, so that it is never early.
    fn in_sweeps(after: Duration, sweeps_now: u32) -> Self {
        // 64 bits, in sweeps: the division of 128 bits would cost more than the rest of this.
        let sweeps = after.as_secs().saturating_mul(SWEEPS_PER_SECOND);
        let sweeps = sweeps.saturating_add(u64::from(after.subsec_nanos().div_ceil(SWEEP_NANOS)));
        match u32::try_from(sweeps) {
            Ok(sweeps) if sweeps < u32::MAX / 4 => Self::Sweep(sweeps_now.wrapping_add(sweeps + 1)),
            _ => Self::Never,
        }
    }
}

fn after_now(after: Duration) -> Deadline {
    Instant::now().checked_add(after).map_or(Deadline::Never, Deadline::At)
}

/// Sweep numbers wrap after thirteen years; what lies half the circle ahead has passed.
fn sweeps_until(sweep: u32, now: u32) -> u32 {
    let ahead = sweep.wrapping_sub(now);
    if ahead > u32::MAX / 2 { 0 } else { ahead }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_wrap_without_passing_early() {
        let deadline = Deadline::Sweep(u32::MAX.wrapping_add(3));
        assert!(!deadline.is_swept(u32::MAX));
        assert!(deadline.is_swept(2));
        assert_eq!(deadline.left(u32::MAX), SWEEP_INTERVAL * 3);
    }
}
