//! What to do after a failure: when to try again, when to give up, and what fails with what.
//!
//! Most of it only decides. Time and randomness are arguments, so that a decision is the same for the same past: [`Supervision`] says whether a module
//! is started again, and when, [`Strategy`] which others are, [`HealthMonitor`] what a row of checks says of a module. Nothing here starts, stops or polls anything.
//!
//! Two types act, on futures of any kind: [`CircuitBreaker`] keeps calls away from what keeps failing, [`Retry`] makes a call again. Their clock is Tokio's, so they
//! follow a paused one.
//!
//! ```
//! use std::time::Duration;
//! use dms::recovery::{BreakerError, CircuitBreaker, Retry};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let stock = CircuitBreaker::new("stock");
//! let retry = Retry::new().attempts(4).deadline(Duration::from_secs(2));
//!
//! let mut failures = 2;
//! let left = retry
//!     .call_while(
//!         || {
//!             let answer = if failures > 0 { failures -= 1; Err("no route") } else { Ok(17) };
//!             stock.call(move || async move { answer })
//!         },
//!         |error| matches!(error, BreakerError::Inner(_)),
//!     )
//!     .await;
//! assert_eq!(left.unwrap(), 17);
//! assert_eq!(stock.metrics().failures, 2);
//! # }
//! ```

// Reading order: `backoff` is how long to wait, with `random` for its jitter. `intensity` is how often is too often, `policy` whether a module is started again,
// `strategy` what else is, and `supervision` puts these together. `health` is what checks say. `breaker` and `retry` act.

mod backoff;
mod breaker;
mod health;
mod intensity;
mod policy;
mod random;
mod retry;
mod strategy;
mod supervision;

pub use backoff::{Backoff, Delays, Jitter};
pub use breaker::{BreakerBuilder, BreakerError, BreakerMetrics, CircuitBreaker, CircuitState};
pub use health::{HealthMonitor, HealthSchedule, HealthStatus, HealthSummary, HealthThresholds};
pub use intensity::{RecentRestarts, RestartIntensity};
pub use policy::{Exit, Restart, RestartPolicy};
pub(crate) use random::Random;
pub use retry::{Retry, RetryBudget, RetryError};
pub use strategy::Strategy;
pub use supervision::{Decision, Supervision};
