//! What a sender can meet.

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

impl<T> Error for Closed<T> {}

impl<T> Error for TrySendError<T> {}
