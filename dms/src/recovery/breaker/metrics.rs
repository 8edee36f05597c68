//! What a breaker has counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a [`CircuitBreaker`](super::CircuitBreaker) has counted since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct BreakerMetrics {
    /// Calls that were let through. What is in none of the next three is under way.
    pub calls: u64,
    /// Calls that succeeded, or failed in a way that does not count.
    pub successes: u64,
    /// Calls that failed or panicked.
    pub failures: u64,
    /// Calls that were dropped before they ended.
    pub cancelled: u64,
    /// Calls that were not let through.
    pub rejected: u64,
    /// How often the breaker went from one state into another. It becomes half-open with the first call after its time is over.
    pub state_changes: u64,
}

/// The numbers while they are counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) calls: AtomicU64,
    pub(super) successes: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) cancelled: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) state_changes: AtomicU64,
}

impl Counts {
    pub(super) fn read(&self) -> BreakerMetrics {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        BreakerMetrics {
            calls: read(&self.calls),
            successes: read(&self.successes),
            failures: read(&self.failures),
            cancelled: read(&self.cancelled),
            rejected: read(&self.rejected),
            state_changes: read(&self.state_changes),
        }
    }
}

pub(super) fn count(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}
