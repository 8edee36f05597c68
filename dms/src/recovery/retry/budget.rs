//! How many retries many callers may make together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How many retries many callers may make together, so that they do not finish off what is only slow.
///
/// It is a bucket of tokens. A retry takes one, and where there is none, it is not made. Each call, whatever becomes of it, puts in a part of one, and so does time. So
/// retries stay below a share of all calls, and who calls seldom may retry nevertheless. The scheme and its numbers are those of
/// [Finagle](https://finagle.github.io/blog/2016/02/08/retry-budgets), which tower has taken over: 20 % of the calls, and 10 retries a second. Where Finagle's tokens
/// expire after 10 s, this bucket holds what 10 s bring, and no more.
///
/// Clones share one bucket.
///
/// ```
/// use dms::recovery::{Retry, RetryBudget};
///
/// let budget = RetryBudget::new(10, 1);
/// let orders = Retry::new().budget(budget.clone());
/// let stock = Retry::new().budget(budget.clone());
/// assert_eq!(budget.available(), 10);
/// ```
#[derive(Clone)]
pub struct RetryBudget {
    bucket: Arc<Mutex<Bucket>>,
}

impl RetryBudget {
    /// Allows for retries of `percent` of all calls, and of `per_second` besides, with what 10 s bring at the beginning.
    ///
    /// The bucket holds at least 10 tokens; with a `per_second` of 0 it is empty at first, so that every retry must be earned.
    #[must_use]
    pub fn new(percent: u32, per_second: u32) -> Self {
        Self { bucket: Arc::new(Mutex::new(Bucket::new(percent, per_second, Instant::now()))) }
    }

    /// How many retries it allows for now.
    #[must_use]
    pub fn available(&self) -> u64 {
        let mut bucket = self.bucket.lock();
        bucket.refill(Instant::now());
        bucket.tokens / TOKEN
    }

    /// A call is made.
    pub(super) fn deposit(&self) {
        self.bucket.lock().deposit();
    }

    /// Whether a retry may be made, which then has its token.
    pub(super) fn withdraw(&self) -> bool {
        self.bucket.lock().withdraw(Instant::now())
    }
}

impl Default for RetryBudget {
    /// 20 % of the calls, and 10 a second.
    fn default() -> Self {
        Self::new(20, 10)
    }
}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryBudget").field("available", &self.available()).finish()
    }
}

/// A token, in units that divide by percents and by nanoseconds: a token a second is one unit a nanosecond.
const TOKEN: u64 = 1_000_000_000;

/// How long time fills an empty bucket.
const SECONDS_TO_FILL: u64 = 10;

/// The decisions, over time that is passed in.
#[derive(Debug)]
struct Bucket {
    /// In units, as all that follows.
    tokens: u64,
    capacity: u64,
    per_call: u64,
    per_nanosecond: u64,
    filled_at: Instant,
}

impl Bucket {
    fn new(percent: u32, per_second: u32, now: Instant) -> Self {
        let reserve = u64::from(per_second) * SECONDS_TO_FILL;
        Self {
            tokens: reserve.saturating_mul(TOKEN),
            capacity: reserve.max(SECONDS_TO_FILL).saturating_mul(TOKEN),
            per_call: u64::from(percent) * (TOKEN / 100),
            per_nanosecond: u64::from(per_second),
            filled_at: now,
        }
    }

    fn deposit(&mut self) {
        self.add(self.per_call);
    }

    fn withdraw(&mut self, now: Instant) -> bool {
        self.refill(now);
        let rest = self.tokens.checked_sub(TOKEN);
        self.tokens = rest.unwrap_or(self.tokens);
        rest.is_some()
    }

    fn refill(&mut self, now: Instant) {
        let passed: Duration = now.saturating_duration_since(self.filled_at);
        self.filled_at = self.filled_at.max(now);
        let nanoseconds = u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX);
        self.add(nanoseconds.saturating_mul(self.per_nanosecond));
    }

    fn add(&mut self, units: u64) {
        self.tokens = self.tokens.saturating_add(units).min(self.capacity);
    }
}
