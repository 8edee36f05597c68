//! When a call gives up, in eight bytes, so that a message carries it at no cost.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

use super::info::{DEFAULT_ASK_TIMEOUT, Timeout};

/// The time between two sweeps over the mailboxes (see [`super::timers`]).
pub(crate) const SWEEP_INTERVAL: Duration = Duration::from_millis(100);

/// From here on a deadline that the call did not set is kept in sweeps: at most 10 % late, at next to no cost.
const COARSE_FROM: Duration = Duration::from_millis(2_500);

/// When a call gives up. The `kind` has spare values, so that an enum around a deadline needs no tag of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline {
    kind: Kind,
    high: u16,
    low: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Never,
    Sweep,
    At,
}

impl Deadline {
    pub(crate) const NEVER: Self = Self { kind: Kind::Never, high: 0, low: 0 };

    /// Passes with the `sweep`-th sweep of the system.
    pub(crate) const fn sweep(sweep: u32) -> Self {
        Self { kind: Kind::Sweep, high: 0, low: sweep }
    }

    /// Passes at `instant`, rounded up to a microsecond; what is farther off than eight years never does.
    pub(crate) fn at(instant: Instant) -> Self {
        let micros = instant.saturating_duration_since(origin()).as_nanos().div_ceil(1_000);
        let Ok(micros) = u64::try_from(micros) else { return Self::NEVER };
        let Ok(high) = u16::try_from(micros >> 32) else { return Self::NEVER };
        #[allow(clippy::cast_possible_truncation, reason = "the upper half is in `high`")]
        Self { kind: Kind::At, high, low: micros as u32 }
    }

    /// The number of the sweep it passes with, if it is kept in sweeps.
    pub(crate) const fn as_sweep(self) -> Option<u32> {
        match self.kind {
            Kind::Sweep => Some(self.low),
            Kind::Never | Kind::At => None,
        }
    }

    /// The instant it passes at, if it is kept exactly.
    pub(crate) fn as_instant(self) -> Option<Instant> {
        match self.kind {
            Kind::At => {
                let micros = (u64::from(self.high) << 32) | u64::from(self.low);
                Some(origin() + Duration::from_micros(micros))
            }
            Kind::Never | Kind::Sweep => None,
        }
    }

    /// The deadline of a call, and how long that is from now: the earlier of what the settings say, call before module before
    /// system, and of what the caller itself has left (contract M4).
    pub(crate) fn of_call(settings: [Timeout; 3], inherited: Self, sweeps_now: u32) -> (Self, Duration) {
        let on_call = settings[0] != Timeout::Inherit;
        let own = settings.into_iter().find(|timeout| *timeout != Timeout::Inherit);
        let own = match own {
            Some(Timeout::Never) => None,
            Some(Timeout::After(after)) => Some(after),
            Some(Timeout::Inherit) | None => Some(DEFAULT_ASK_TIMEOUT),
        };
        if inherited.kind == Kind::Never {
            return match own {
                None => (Self::NEVER, Duration::MAX),
                Some(after) if !on_call && after >= COARSE_FROM => (Self::in_sweeps(after, sweeps_now), after),
                Some(after) => (after_now(after), after),
            };
        }
        let left = inherited.left(sweeps_now);
        match own {
            Some(after) if after < left => {
                if !on_call && after >= COARSE_FROM && inherited.kind == Kind::Sweep {
                    (Self::in_sweeps(after, sweeps_now), after)
                } else {
                    (after_now(after), after)
                }
            }
            _ => (inherited, left),
        }
    }

    /// How much time is left until it passes.
    pub(crate) fn left(self, sweeps_now: u32) -> Duration {
        match self.kind {
            Kind::Never => Duration::MAX,
            Kind::Sweep => SWEEP_INTERVAL * sweeps_until(self.low, sweeps_now),
            Kind::At => self.as_instant().map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now())),
        }
    }

    /// The same deadline for a system whose sweeps count otherwise.
    pub(crate) fn in_other_system(self, sweeps_now: u32) -> Self {
        match self.kind {
            Kind::Never | Kind::At => self,
            Kind::Sweep => after_now(self.left(sweeps_now)),
        }
    }

    /// Whether the sweep it is kept in has been.
    pub(crate) fn is_swept(self, sweeps_now: u32) -> bool {
        self.kind == Kind::Sweep && sweeps_until(self.low, sweeps_now) == 0
    }

    /// The running interval between two sweeps does not count, so that it is never early.
    fn in_sweeps(after: Duration, sweeps_now: u32) -> Self {
        let sweeps = after.as_millis().div_ceil(SWEEP_INTERVAL.as_millis());
        match u32::try_from(sweeps) {
            Ok(sweeps) if sweeps < u32::MAX / 4 => Self::sweep(sweeps_now.wrapping_add(sweeps + 1)),
            _ => Self::NEVER,
        }
    }
}

fn after_now(after: Duration) -> Deadline {
    Instant::now().checked_add(after).map_or(Deadline::NEVER, Deadline::at)
}

/// Sweep numbers wrap after thirteen years; what lies half the circle ahead has passed.
fn sweeps_until(sweep: u32, now: u32) -> u32 {
    let ahead = sweep.wrapping_sub(now);
    if ahead > u32::MAX / 2 { 0 } else { ahead }
}

/// Deadlines count from the first use in the process: tokio's instants have no origin of their own.
fn origin() -> Instant {
    static ORIGIN: OnceLock<std::time::Instant> = OnceLock::new();
    Instant::from_std(*ORIGIN.get_or_init(std::time::Instant::now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_takes_eight_bytes_and_leaves_room_for_a_tag() {
        assert_eq!(size_of::<Deadline>(), 8);
        assert_eq!(size_of::<Option<Deadline>>(), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn an_instant_survives_to_the_microsecond_and_is_never_early() {
        for micros in [0, 1, 999, 1_000_000, 86_400_000_000 * 365] {
            let instant = Instant::now() + Duration::from_micros(micros) + Duration::from_nanos(1);
            let kept = Deadline::at(instant).as_instant().unwrap();
            assert!(kept >= instant && kept - instant <= Duration::from_micros(1), "{micros}");
        }
    }

    #[test]
    fn sweeps_wrap_without_passing_early() {
        let deadline = Deadline::sweep(u32::MAX.wrapping_add(3));
        assert!(!deadline.is_swept(u32::MAX));
        assert!(deadline.is_swept(2));
        assert_eq!(deadline.left(u32::MAX), SWEEP_INTERVAL * 3);
    }
}
