//! What a caller through a breaker can meet.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// A call through a [`CircuitBreaker`](super::CircuitBreaker) was not made, or failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BreakerError<E> {
    /// The breaker is open. The call was not made.
    #[error(
        "the circuit breaker `{breaker}` is open after repeated failures, the call was not made: call again after {retry_after:?}"
    )]
    Open {
        /// The breaker's name.
        breaker: Arc<str>,
        /// When a probe may go through.
        until: Instant,
        /// How long that was from the rejection.
        retry_after: Duration,
    },
    /// The breaker is half-open, and as many probes are under way as may be. The call was not made.
    #[error(
        "the circuit breaker `{breaker}` waits for the outcome of its probes, the call was not made: call again in a moment"
    )]
    Probing {
        /// The breaker's name.
        breaker: Arc<str>,
    },
    /// The call was made, and failed.
    #[error(transparent)]
    Inner(E),
}

impl<E> BreakerError<E> {
    /// Whether the call was not made.
    #[must_use]
    pub const fn is_rejected(&self) -> bool {
        !matches!(self, Self::Inner(_))
    }

    /// The error of the call, if it was made.
    #[must_use]
    pub fn into_inner(self) -> Option<E> {
        if let Self::Inner(error) = self { Some(error) } else { None }
    }
}
