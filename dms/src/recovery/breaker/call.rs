//! Calls through a breaker.

use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::builder::BreakerBuilder;
use super::circuit::{Change, Circuit, CircuitState, Outcome, Permit, Rejection, Settings};
use super::error::BreakerError;
use super::metrics::{BreakerMetrics, Counts, count};

/// Keeps calls away from what keeps failing, and finds out when it works again.
///
/// - *Closed*: all calls go through. After 5 failures in a row it opens.
/// - *Open*: no call goes through for 30 s.
/// - *Half-open*: up to 3 calls at once go through as probes. The second success closes it, the first failure opens it again.
///
/// A failure is an error of the call, unless [`call_counting`](Self::call_counting) says that it does not count, or a panic. It counts for the state that let the call
/// through: what ends in a later one changes nothing. A call that is dropped before it ends counts as nothing and frees its place. Probes that all take as long as
/// the breaker would be open count as failed.
///
/// How long a call may take is not the breaker's business: give it a deadline, and what hangs is a failure.
///
/// Clones share one circuit. While it is closed and nothing fails, a call costs two atomic counters and takes no lock.
///
/// ```
/// use std::time::Duration;
/// use dms::recovery::{BreakerError, CircuitBreaker, CircuitState};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let breaker = CircuitBreaker::builder("payments").failures(2).build();
/// for _ in 0..2 {
///     let failed = breaker.call(|| async { Err::<(), _>("no route") }).await;
///     assert_eq!(failed, Err(BreakerError::Inner("no route")));
/// }
/// let rejected = breaker.call(|| async { Ok::<_, &str>(unreachable!("it is not called")) }).await;
/// assert!(rejected.is_err_and(|error: BreakerError<&str>| error.is_rejected()));
///
/// tokio::time::sleep(Duration::from_secs(30)).await;
/// for _ in 0..2 {
///     assert_eq!(breaker.call(|| async { Ok::<_, &str>(7) }).await, Ok(7));
/// }
/// assert_eq!(breaker.state(), CircuitState::Closed);
/// # }
/// ```
#[derive(Clone)]
pub struct CircuitBreaker {
    shared: Arc<Shared>,
}

struct Shared {
    name: Arc<str>,
    /// [`Circuit::quiet`], or [`NOT_QUIET`]. Written under the lock, read without it.
    quiet: AtomicU64,
    counts: Counts,
    circuit: Mutex<Circuit>,
}

/// No epoch is ever this.
const NOT_QUIET: u64 = u64::MAX;

impl CircuitBreaker {
    /// A closed breaker with the settings above. The name is for errors and logs.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self::builder(name).build()
    }

    /// A breaker with settings of its own.
    pub fn builder(name: impl Into<Arc<str>>) -> BreakerBuilder {
        BreakerBuilder::new(name.into())
    }

    pub(super) fn of(name: Arc<str>, settings: Settings) -> Self {
        let circuit = Mutex::new(Circuit::new(settings));
        Self { shared: Arc::new(Shared { name, quiet: AtomicU64::new(0), counts: Counts::default(), circuit }) }
    }

    /// The name that it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// What a call would find now.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        self.shared.circuit.lock().state(Instant::now())
    }

    /// What was counted so far. The numbers are read one after the other while calls go on.
    #[must_use]
    pub fn metrics(&self) -> BreakerMetrics {
        self.shared.counts.read()
    }

    /// Makes the call, unless the breaker rejects it: then `operation` does not run. Every error counts as a failure.
    ///
    /// # Errors
    /// [`BreakerError::Inner`] with the error of the call; [`BreakerError::Open`] or [`BreakerError::Probing`] when it was not made.
    ///
    /// # Panics
    /// When the call does; that counts as a failure.
    ///
    /// # Cancel safety
    /// Dropping this drops the call, which then counts as nothing. Nothing happens before it is polled.
    pub async fn call<F, Fut, T, E>(&self, operation: F) -> Result<T, BreakerError<E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.call_counting(operation, |_| true).await
    }

    /// As [`call`](Self::call), where `counts` says of an error whether it is a failure. One that is none proves as much as a success: whoever was called has answered.
    ///
    /// ```
    /// # use std::io::{Error, ErrorKind};
    /// # use dms::recovery::CircuitBreaker;
    /// # async fn find(_: &str) -> Result<u64, Error> { Err(ErrorKind::NotFound.into()) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let breaker = CircuitBreaker::new("catalog");
    /// let found = breaker.call_counting(|| find("nothing"), |error| error.kind() != ErrorKind::NotFound).await;
    /// assert!(found.is_err());
    /// assert_eq!(breaker.metrics().failures, 0);
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`call`](Self::call).
    ///
    /// # Panics
    /// When the call or `counts` does; that counts as a failure.
    ///
    /// # Cancel safety
    /// As for [`call`](Self::call).
    pub async fn call_counting<F, Fut, T, E>(
        &self,
        operation: F,
        counts: impl FnOnce(&E) -> bool,
    ) -> Result<T, BreakerError<E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let mut call = self.shared.begin()?;
        let mut future = pin!(call.run(operation));
        let result = poll_fn(|cx| call.run(|| future.as_mut().poll(cx))).await;
        let is_failure = result.as_ref().is_err_and(|error| call.run(|| counts(error)));
        call.end(if is_failure { Outcome::Failure } else { Outcome::Success });
        result.map_err(BreakerError::Inner)
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", &self.name())
            .field("state", &self.state())
            .field("metrics", &self.metrics())
            .finish()
    }
}

impl Shared {
    /// Lets a call through.
    fn begin<E>(&self) -> Result<Call<'_>, BreakerError<E>> {
        // Pairs with the store in `publish`: who has seen a failure end finds the circuit not quiet.
        let epoch = self.quiet.load(Ordering::Acquire);
        let admitted = if epoch == NOT_QUIET { self.begin_slowly() } else { Ok(Permit { epoch }) };
        match admitted {
            Ok(permit) => {
                count(&self.counts.calls);
                Ok(Call { shared: self, permit, runs: false, is_over: false })
            }
            Err(rejection) => {
                count(&self.counts.rejected);
                let breaker = Arc::clone(&self.name);
                Err(match rejection {
                    Rejection::Open { until, retry_after } => BreakerError::Open { breaker, until, retry_after },
                    Rejection::Probing => BreakerError::Probing { breaker },
                })
            }
        }
    }

    #[cold]
    fn begin_slowly(&self) -> Result<Permit, Rejection> {
        let mut circuit = self.circuit.lock();
        let (admitted, change) = circuit.begin(Instant::now());
        self.publish(&circuit, change);
        drop(circuit);
        self.report(change);
        admitted
    }

    fn end(&self, permit: Permit, outcome: Outcome) {
        count(match outcome {
            Outcome::Success => &self.counts.successes,
            Outcome::Failure => &self.counts.failures,
            Outcome::Cancelled => &self.counts.cancelled,
        });
        let says_nothing_new = outcome != Outcome::Failure && self.quiet.load(Ordering::Acquire) == permit.epoch;
        if !says_nothing_new {
            self.end_slowly(permit, outcome);
        }
    }

    #[cold]
    fn end_slowly(&self, permit: Permit, outcome: Outcome) {
        let mut circuit = self.circuit.lock();
        let change = circuit.end(permit, outcome, Instant::now());
        self.publish(&circuit, change);
        drop(circuit);
        self.report(change);
    }

    /// Shows the others, who take no lock, whether they need it.
    fn publish(&self, circuit: &Circuit, change: Option<Change>) {
        if change.is_some() {
            count(&self.counts.state_changes);
        }
        self.quiet.store(circuit.quiet().unwrap_or(NOT_QUIET), Ordering::Release);
    }

    fn report(&self, change: Option<Change>) {
        let breaker = &*self.name;
        match change {
            Some(Change::Opened) => tracing::warn!(breaker, "circuit breaker opened: calls are rejected"),
            Some(Change::HalfOpened) => tracing::debug!(breaker, "circuit breaker half-open: probes go through"),
            Some(Change::Closed) => tracing::info!(breaker, "circuit breaker closed: calls go through again"),
            None => {}
        }
    }
}

/// A call under way. Dropped before it has ended, it was cancelled; while its code runs, it panicked.
struct Call<'a> {
    shared: &'a Shared,
    permit: Permit,
    /// Whether the caller's code has the thread.
    runs: bool,
    is_over: bool,
}

impl Call<'_> {
    /// Runs the caller's code. If that panics, `runs` stays set.
    fn run<T>(&mut self, code: impl FnOnce() -> T) -> T {
        self.runs = true;
        let output = code();
        self.runs = false;
        output
    }

    fn end(&mut self, outcome: Outcome) {
        if !mem::replace(&mut self.is_over, true) {
            self.shared.end(self.permit, outcome);
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.end(if self.runs { Outcome::Failure } else { Outcome::Cancelled });
    }
}
