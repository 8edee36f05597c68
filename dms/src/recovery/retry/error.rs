//! What a caller with retries can meet.

use std::time::Duration;

/// A call with retries did not succeed; each says how often it was made and, where it came to that, the error of the last time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetryError<E> {
    /// It was made as often as it may be.
    #[error("the call failed {attempts} times, as often as it may be made")]
    Exhausted {
        /// How often it was made.
        attempts: u32,
        /// The error of the last time.
        #[source]
        last: E,
    },
    /// It failed in a way that the caller does not retry.
    #[error("the call failed at attempt {attempts}, in a way that is not retried")]
    Permanent {
        /// How often it was made.
        attempts: u32,
        /// The error of the last time.
        #[source]
        last: E,
    },
    /// The budget had no token left for another time.
    #[error(
        "the call failed {attempts} times, and the retry budget is used up: what is called fails too often for all who share it"
    )]
    OverBudget {
        /// How often it was made.
        attempts: u32,
        /// The error of the last time.
        #[source]
        last: E,
    },
    /// The deadline passed, or would have before the next time.
    #[error("the call did not succeed within {within:?}, at attempt {attempts}")]
    Deadline {
        /// How often it was made, a last time included that the deadline cut off.
        attempts: u32,
        /// The deadline, counted from the first time.
        within: Duration,
        /// The error of the last time that ended; `None` if none did.
        #[source]
        last: Option<E>,
    },
}

impl<E> RetryError<E> {
    /// How often the call was made.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        match self {
            Self::Exhausted { attempts, .. }
            | Self::Permanent { attempts, .. }
            | Self::OverBudget { attempts, .. }
            | Self::Deadline { attempts, .. } => *attempts,
        }
    }

    /// The error of the last time that ended, if one did.
    #[must_use]
    pub fn into_last(self) -> Option<E> {
        match self {
            Self::Exhausted { last, .. } | Self::Permanent { last, .. } | Self::OverBudget { last, .. } => Some(last),
            Self::Deadline { last, .. } => last,
        }
    }
}
