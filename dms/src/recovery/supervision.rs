//! What is decided when a module has ended that may be started again.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Delays;
use super::intensity::RecentRestarts;
use super::policy::{Exit, Restart, RestartPolicy};
use super::strategy::Strategy;

/// The past of one module as far as it decides on its restarts, and the decision each time it ends.
///
/// It decides and does nothing: whoever acts tells it what happened, and does what the [`Decision`] says.
///
/// ```
/// use std::time::Duration;
/// use dms::recovery::{Decision, Exit, Restart, Strategy, Supervision};
/// use tokio::time::Instant;
///
/// let mut supervision = Supervision::new(Restart::on_failure().max_restarts(1, Duration::from_secs(60)));
/// let random = 7;
/// match supervision.ended(Strategy::OneForOne, Exit::Failure, Duration::from_secs(5), Instant::now(), random) {
///     Decision::Restart { after } => assert!(after >= Duration::from_millis(50)),
///     other => panic!("{other:?}"),
/// }
/// // It does not even start.
/// let decision = supervision.ended(Strategy::OneForOne, Exit::Failure, Duration::ZERO, Instant::now(), random);
/// assert_eq!(decision, Decision::Escalate);
/// ```
#[derive(Debug, Clone)]
pub struct Supervision {
    policy: RestartPolicy,
    recent: RecentRestarts,
    delays: Delays,
}

/// What is to be done after a module has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: it stays down.
    Leave,
    /// It is to be started again, and with it those that its supervisor's [`Strategy`] names.
    Restart {
        /// How long to wait before.
        after: Duration,
    },
    /// Its failure is that of its supervisor.
    Escalate,
}

impl Supervision {
    /// Of a module that has not failed yet.
    #[must_use]
    pub const fn new(restart: Restart) -> Self {
        let Restart { policy, intensity, backoff } = restart;
        Self { policy, recent: RecentRestarts::new(intensity), delays: Delays::new(backoff) }
    }

    /// The module has ended at `now`, after it ran for `ran_for`: [`Duration::ZERO`] where it did not come up. What is to be done.
    ///
    /// In this order: the strategy may escalate a failure, whatever the policy says; an end that the policy does not care for is left; then the limit may escalate. See
    /// [`Backoff::delay`](super::Backoff::delay) for `random`.
    pub fn ended(&mut self, strategy: Strategy, exit: Exit, ran_for: Duration, now: Instant, random: u64) -> Decision {
        if strategy == Strategy::Escalate && exit == Exit::Failure {
            return Decision::Escalate;
        }
        if !self.policy.restarts(exit) {
            return Decision::Leave;
        }
        if !self.recent.allow(now) {
            return Decision::Escalate;
        }
        Decision::Restart { after: self.delays.after_run(ran_for, random) }
    }

    /// How many restarts count at `now`, and how many failures there were since the last stable run.
    #[must_use]
    pub fn restarts(&self, now: Instant) -> (usize, u32) {
        (self.recent.count(now), self.delays.attempt())
    }
}
