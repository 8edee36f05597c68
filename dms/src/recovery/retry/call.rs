//! Calls that are made again.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::budget::RetryBudget;
use super::error::RetryError;
use crate::recovery::backoff::Backoff;
use crate::recovery::random::Random;

/// Makes a call again when it fails.
///
/// Only what may be done twice should be: of an ask that got no answer it is not known whether it was handled.
///
/// A `Retry` is a setting, made once and used for many calls; calls share nothing but the [`RetryBudget`].
///
/// ```
/// use std::time::Duration;
/// use dms::recovery::{Backoff, Retry, RetryBudget};
///
/// # async fn ask_for_time() -> Result<u64, std::io::Error> { Ok(0) }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let retry = Retry::new()
///     .attempts(5)
///     .backoff(Backoff::new(Duration::from_millis(20), Duration::from_secs(1)))
///     .deadline(Duration::from_secs(5))
///     .budget(RetryBudget::default());
/// let time = retry.call(ask_for_time).await.unwrap();
/// # assert_eq!(time, 0);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Retry {
    attempts: u32,
    backoff: Backoff,
    within: Option<Duration>,
    budget: Option<RetryBudget>,
    seed: Option<u64>,
}

impl Retry {
    /// Makes a call up to 3 times, with [`Backoff::DEFAULT`], without a deadline and without a budget.
    #[must_use]
    pub const fn new() -> Self {
        Self { attempts: 3, backoff: Backoff::DEFAULT, within: None, budget: None, seed: None }
    }

    /// How often a call is made at most, the first time included; 3 without this, and 0 is taken as 1.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// How long to wait before each further time.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// How long it all may take, counted from the first time. A call that is under way then is dropped; one that could only begin after it is not waited for.
    #[must_use]
    pub fn deadline(mut self, within: Duration) -> Self {
        self.within = Some(within);
        self
    }

    /// Limits the retries together with all others that share this budget.
    #[must_use]
    pub fn budget(mut self, budget: RetryBudget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Makes the jitter of every call the same, from this seed: for tests. Without this each call has its own.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Makes the call until it succeeds. Every error is worth another time.
    ///
    /// # Errors
    /// [`RetryError`], which says why there was no further time, with the last error.
    ///
    /// # Panics
    /// When the call does: a panic is not retried.
    ///
    /// # Cancel safety
    /// Dropping this drops the call that is under way, and makes no further one. A token that a retry had from the budget is not given back.
    pub async fn call<F, Fut, T, E>(&self, operation: F) -> Result<T, RetryError<E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.call_while(operation, |_| true).await
    }

    /// As [`call`](Self::call), where `is_transient` says of an error whether it is worth another time.
    ///
    /// ```
    /// # use std::io::{Error, ErrorKind};
    /// # use dms::recovery::{Retry, RetryError};
    /// # async fn read() -> Result<u64, Error> { Err(ErrorKind::NotFound.into()) }
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let read = Retry::new().call_while(read, |error| error.kind() == ErrorKind::Interrupted).await;
    /// assert!(matches!(read, Err(RetryError::Permanent { attempts: 1, .. })));
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`call`](Self::call).
    ///
    /// # Panics
    /// As for [`call`](Self::call), and when `is_transient` does.
    ///
    /// # Cancel safety
    /// As for [`call`](Self::call).
    pub async fn call_while<F, Fut, T, E>(
        &self,
        mut operation: F,
        mut is_transient: impl FnMut(&E) -> bool,
    ) -> Result<T, RetryError<E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let deadline = self.within.and_then(|within| Some((within, Instant::now().checked_add(within)?)));
        let mut random = None;
        let mut last = None;
        let mut attempts = 0;
        if let Some(budget) = &self.budget {
            budget.deposit();
        }
        loop {
            attempts += 1;
            let attempt = operation();
            let result = match deadline {
                None => attempt.await,
                Some((within, deadline)) => match timeout_at(deadline, attempt).await {
                    Ok(result) => result,
                    Err(_) => return Err(RetryError::Deadline { attempts, within, last }),
                },
            };
            let error = match result {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if !is_transient(&error) {
                return Err(RetryError::Permanent { attempts, last: error });
            }
            if attempts >= self.attempts {
                return Err(RetryError::Exhausted { attempts, last: error });
            }
            let random = random.get_or_insert_with(|| self.seed.map_or_else(Random::new, Random::seeded));
            let delay = self.backoff.delay(attempts - 1, random.draw());
            if let Some((within, deadline)) = deadline
                && Instant::now().checked_add(delay).is_none_or(|next| next >= deadline)
            {
                return Err(RetryError::Deadline { attempts, within, last: Some(error) });
            }
            if self.budget.as_ref().is_some_and(|budget| !budget.withdraw()) {
                return Err(RetryError::OverBudget { attempts, last: error });
            }
            last = Some(error);
            sleep(delay).await;
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::new()
    }
}
