//! When calls go through: the states of a breaker, over time that is passed in.

use std::time::Duration;

use tokio::time::Instant;

/// See the methods of [`BreakerBuilder`](super::BreakerBuilder).
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) failures: u32,
    pub(super) open_for: Duration,
    pub(super) probes: u32,
    pub(super) successes: u32,
}

impl Settings {
    pub(super) const DEFAULT: Self = Self { failures: 5, open_for: Duration::from_secs(30), probes: 3, successes: 2 };
}

/// Whether a breaker lets calls through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CircuitState {
    /// All of them.
    Closed,
    /// None, before `until`.
    Open {
        /// When a probe may go through.
        until: Instant,
    },
    /// A few, to see whether they succeed.
    HalfOpen,
}

/// A call that was let through, to be given back with how it ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permit {
    /// The state that let it through. What it meets may be another one, which it then says nothing about.
    pub(super) epoch: u64,
}

/// Why a call was not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejection {
    Open { until: Instant, retry_after: Duration },
    Probing,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    Failure,
    /// It was dropped before it ended: nothing is known.
    Cancelled,
}

/// A state was left for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Opened,
    HalfOpened,
    Closed,
}

#[derive(Debug)]
pub(super) struct Circuit {
    settings: Settings,
    state: State,
    /// Counts the states up to now.
    epoch: u64,
}

#[derive(Debug)]
enum State {
    Closed {
        /// In a row, up to now.
        failures: u32,
    },
    Open {
        since: Instant,
    },
    HalfOpen {
        /// How many probes are under way.
        probes: u32,
        successes: u32,
        /// When the last probe began.
        last: Instant,
    },
}

impl Circuit {
    pub(super) const fn new(settings: Settings) -> Self {
        Self { settings, state: State::Closed { failures: 0 }, epoch: 0 }
    }

    /// The epoch, while it is closed and the last call did not fail: then a success changes nothing.
    pub(super) const fn quiet(&self) -> Option<u64> {
        if let State::Closed { failures: 0 } = self.state { Some(self.epoch) } else { None }
    }

    /// What a call would find at `now`.
    pub(super) fn state(&self, now: Instant) -> CircuitState {
        match self.state {
            State::Closed { .. } => CircuitState::Closed,
            State::Open { since } if self.left(since, now).is_zero() => CircuitState::HalfOpen,
            State::Open { since } => CircuitState::Open { until: after(since, self.settings.open_for) },
            State::HalfOpen { .. } => CircuitState::HalfOpen,
        }
    }

    /// Lets a call through at `now`, or not.
    pub(super) fn begin(&mut self, now: Instant) -> (Result<Permit, Rejection>, Option<Change>) {
        let change = match &mut self.state {
            State::Closed { .. } => None,
            State::Open { since } => {
                let since = *since;
                let retry_after = self.left(since, now);
                if !retry_after.is_zero() {
                    let until = after(since, self.settings.open_for);
                    return (Err(Rejection::Open { until, retry_after }), None);
                }
                Some(self.enter(State::HalfOpen { probes: 1, successes: 0, last: now }))
            }
            State::HalfOpen { probes, last, .. } if *probes < self.settings.probes => {
                *probes += 1;
                *last = now;
                None
            }
            // Probes that take as long as this have failed, whether they know it or not: else the breaker would be stuck with them.
            State::HalfOpen { last, .. } if now.saturating_duration_since(*last) >= self.settings.open_for => {
                let opened = self.enter(State::Open { since: now });
                let until = after(now, self.settings.open_for);
                return (Err(Rejection::Open { until, retry_after: self.settings.open_for }), Some(opened));
            }
            State::HalfOpen { .. } => return (Err(Rejection::Probing), None),
        };
        (Ok(Permit { epoch: self.epoch }), change)
    }

    /// Takes in how a call ended, at `now`.
    pub(super) fn end(&mut self, permit: Permit, outcome: Outcome, now: Instant) -> Option<Change> {
        if permit.epoch != self.epoch {
            return None;
        }
        match (&mut self.state, outcome) {
            (State::Closed { failures }, Outcome::Success) => *failures = 0,
            (State::Closed { failures }, Outcome::Failure) => {
                *failures += 1;
                if *failures >= self.settings.failures {
                    return Some(self.enter(State::Open { since: now }));
                }
            }
            (State::HalfOpen { probes, successes, .. }, Outcome::Success) => {
                *probes -= 1;
                *successes += 1;
                if *successes >= self.settings.successes {
                    return Some(self.enter(State::Closed { failures: 0 }));
                }
            }
            (State::HalfOpen { .. }, Outcome::Failure) => return Some(self.enter(State::Open { since: now })),
            (State::HalfOpen { probes, .. }, Outcome::Cancelled) => *probes -= 1,
            // No call is let through by an open circuit.
            (State::Closed { .. }, Outcome::Cancelled) | (State::Open { .. }, _) => {}
        }
        None
    }

    fn enter(&mut self, state: State) -> Change {
        let change = match state {
            State::Closed { .. } => Change::Closed,
            State::Open { .. } => Change::Opened,
            State::HalfOpen { .. } => Change::HalfOpened,
        };
        self.state = state;
        self.epoch += 1;
        change
    }

    /// How much is left of the time that it is open.
    fn left(&self, since: Instant, now: Instant) -> Duration {
        self.settings.open_for.saturating_sub(now.saturating_duration_since(since))
    }
}

/// `since + time`, or 30 years later where no instant is that late.
fn after(since: Instant, time: Duration) -> Instant {
    const FAR: Duration = Duration::from_hours(30 * 365 * 24);
    since.checked_add(time).unwrap_or(since + FAR)
}
