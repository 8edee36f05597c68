//! What the ends of a channel can meet.

use std::any::type_name;
use std::error::Error;
use std::fmt;

/// The other end has gone. What was not delivered comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Closed<T>(pub T);

/// It was not delivered at once, and comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrySendError<T> {
    /// As many events wait as the channel holds.
    Full(T),
    /// The other end has gone.
    Closed(T),
}

/// A promise is broken: its value will never come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PromiseError {
    /// Its `ReplyTo` was dropped.
    #[error("the `ReplyTo` of this promise was dropped without a value: call `send` on every path")]
    Dropped,
    /// Its `ReplyTo` was dropped by a panic.
    #[error("what was to keep this promise has panicked")]
    Panicked,
}

/// A request got no reply.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubmitError<Q> {
    /// The source has gone. The request comes back.
    Closed(Q),
    /// The source was dropped, or the session let the `ReplyTo` go. Whether it did something is unknown.
    Dropped,
    /// The session panicked with it. What it did before is unknown.
    Panicked,
}

impl<T> Closed<T> {
    /// What was not delivered.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> TrySendError<T> {
    /// What was not delivered.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(event) | Self::Closed(event) => event,
        }
    }
}

impl<T> fmt::Display for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        has_gone::<T>(f)
    }
}

fn has_gone<T>(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "nobody takes `{}` any more: the session that did has ended; it is in this error", type_name::<T>())
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => write!(
                f,
                "the channel of `{}` is full: it is in this error; `send(…).await` waits for room",
                type_name::<T>()
            ),
            Self::Closed(_) => has_gone::<T>(f),
        }
    }
}

impl<T> fmt::Debug for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Closed({})", type_name::<T>())
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variant = if matches!(self, Self::Full(_)) { "Full" } else { "Closed" };
        write!(f, "{variant}({})", type_name::<T>())
    }
}

impl<Q> fmt::Display for SubmitError<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => has_gone::<Q>(f),
            Self::Dropped => write!(f, "`{}` was dropped without a reply", type_name::<Q>()),
            Self::Panicked => write!(f, "the session that was to reply to `{}` has panicked", type_name::<Q>()),
        }
    }
}

impl<Q> fmt::Debug for SubmitError<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variant = match self {
            Self::Closed(_) => "Closed",
            Self::Dropped => "Dropped",
            Self::Panicked => "Panicked",
        };
        write!(f, "{variant}({})", type_name::<Q>())
    }
}

impl<T> Error for Closed<T> {}

impl<Q> Error for SubmitError<Q> {}

impl<T> Error for TrySendError<T> {}
