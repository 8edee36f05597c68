//! What a supervisor decides when one of its children has ended.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Delays;
use super::intensity::{RecentRestarts, RestartIntensity};
use super::policy::{Exit, Restart, RestartPolicy};
use super::strategy::{RestartPlan, Strategy};

/// The children of one supervisor, and what is to be done when one of them ends.
///
/// It decides and does nothing. Whoever acts tells it what happens, [`started`](Self::started) and [`ended`](Self::ended), and carries out the [`Decision`]. `K` is what
/// children are known by; a restart does not change it.
///
/// ```
/// use std::time::Duration;
/// use dms::recovery::{Decision, Exit, Restart, Strategy, Supervision};
/// use tokio::time::Instant;
///
/// let mut supervision = Supervision::new(Strategy::OneForAll);
/// let restart = Restart::on_failure().max_restarts(1, Duration::from_secs(60));
/// for child in ["reader", "writer"] {
///     supervision.add(child, restart);
///     supervision.started(&child, Instant::now());
/// }
///
/// let random = 7;
/// match supervision.ended(&"writer", Exit::Failure, Instant::now(), random) {
///     Decision::Restart { plan, after } => {
///         assert_eq!(plan.stop, ["reader"]);
///         assert_eq!(plan.start, ["reader", "writer"]);
///         assert!(after >= Duration::from_millis(50));
///     }
///     other => panic!("{other:?}"),
/// }
/// // It does not even start.
/// assert_eq!(supervision.ended(&"writer", Exit::Failure, Instant::now(), random), Decision::Escalate);
/// ```
#[derive(Debug, Clone)]
pub struct Supervision<K> {
    strategy: Strategy,
    /// How often all children together may be restarted, where that is limited.
    together: Option<RecentRestarts>,
    /// In the order in which they were added.
    children: BTreeMap<u64, Child<K>>,
    places: HashMap<K, u64>,
    next_place: u64,
}

#[derive(Debug, Clone)]
struct Child<K> {
    key: K,
    policy: RestartPolicy,
    restarts: RecentRestarts,
    delays: Delays,
    /// Since when it runs; `None` before it does.
    runs_since: Option<Instant>,
}

/// What is to be done after a child has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<K> {
    /// Nothing: it stays down.
    Leave,
    /// The plan is to be carried out: its stops at once, its starts after the delay. Where starts of an earlier plan still wait, each child is started once, in the order
    /// of its place, and not before any of its delays is over.
    Restart {
        /// What to stop, and what to start.
        plan: RestartPlan<K>,
        /// How long to wait before the first start.
        after: Duration,
    },
    /// The supervisor is to stop its children, the youngest first, and to fail itself, with the child's failure as the cause.
    Escalate,
}

impl<K: Clone + Eq + Hash> Supervision<K> {
    /// A supervisor without children.
    #[must_use]
    pub fn new(strategy: Strategy) -> Self {
        Self { strategy, together: None, children: BTreeMap::new(), places: HashMap::new(), next_place: 0 }
    }

    /// Also limits how often the children may be restarted all together, which is what OTP's supervisors do. Without this only each one's own limit holds.
    ///
    /// A decision counts once, however many children it starts.
    #[must_use]
    pub fn together(mut self, intensity: RestartIntensity) -> Self {
        self.together = Some(RecentRestarts::new(intensity));
        self
    }

    /// Adds a child, as the youngest. One that is there already keeps its place, and has its past forgotten.
    pub fn add(&mut self, key: K, restart: Restart) {
        let place = *self.places.entry(key.clone()).or_insert_with(|| {
            self.next_place += 1;
            self.next_place
        });
        let Restart { policy, intensity, backoff } = restart;
        let restarts = RecentRestarts::new(intensity);
        let child = Child { key, policy, restarts, delays: Delays::new(backoff), runs_since: None };
        self.children.insert(place, child);
    }

    /// Forgets a child; whether there was one.
    pub fn remove(&mut self, key: &K) -> bool {
        self.places.remove(key).is_some_and(|place| self.children.remove(&place).is_some())
    }

    /// The children, the oldest first.
    #[must_use]
    pub fn children(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.children.values().map(|child| &child.key)
    }

    /// A child has been started, and runs from `now` on: its `init` and `start` are behind it.
    pub fn started(&mut self, key: &K, now: Instant) {
        if let Some(child) = self.places.get(key).and_then(|place| self.children.get_mut(place)) {
            child.runs_since = Some(now);
        }
    }

    /// A child has ended at `now`, or did not come up: what is to be done.
    ///
    /// In this order: an end that the child's policy does not care for is left; then the strategy may escalate; then the child's limit; then that of all. A child that
    /// does not come up when it is started again is reported here once more, and counts again. See [`Backoff::delay`](super::Backoff::delay) for `random`.
    ///
    /// A child that is not known is left.
    pub fn ended(&mut self, key: &K, exit: Exit, now: Instant, random: u64) -> Decision<K> {
        let Some(&place) = self.places.get(key) else { return Decision::Leave };
        let Some(child) = self.children.get_mut(&place) else { return Decision::Leave };
        let ran_for = child.runs_since.take().map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        let is_cared_for = match self.strategy {
            Strategy::Escalate => exit == Exit::Failure || child.policy.restarts(exit),
            _ => child.policy.restarts(exit),
        };
        if !is_cared_for {
            return Decision::Leave;
        }
        if self.strategy == Strategy::Escalate || !child.restarts.would_allow(now) {
            return Decision::Escalate;
        }
        if self.together.as_mut().is_some_and(|together| !together.allow(now)) {
            return Decision::Escalate;
        }
        child.restarts.allow(now);
        let after = child.delays.after_run(ran_for, random);
        // Those before it matter to one strategy only, and there may be many.
        let first = if self.strategy == Strategy::OneForAll { 0 } else { place };
        let children = self.children.range(first..).map(|(_, child)| (child.key.clone(), child.policy));
        self.strategy.plan(children, key).map_or(Decision::Escalate, |plan| Decision::Restart { plan, after })
    }

    /// How many restarts of a child count at `now`, and how many failures it had since its last stable run; `None` if there is no such child.
    #[must_use]
    pub fn restarts_of(&self, key: &K, now: Instant) -> Option<(usize, u32)> {
        let child = self.children.get(self.places.get(key)?)?;
        Some((child.restarts.count(now), child.delays.attempt()))
    }
}
