//! What a caller of a module can meet.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// A message was not delivered, and comes back (contract M3).
///
/// The second field is the module's name.
#[derive(Clone, PartialEq, Eq)]
pub enum SendError<M> {
    /// The module has stopped, is stopping or was never there.
    Stopped(M, String),
    /// The bounded mailbox is full, and its policy or `try_send` does not wait.
    Full(M, String),
    /// The mailbox is full, and its module waits, directly or round a cycle, for the module that sends.
    WouldDeadlock(M, Cycle),
}

impl<M> SendError<M> {
    /// Gives the message back.
    pub fn into_message(self) -> M {
        match self {
            Self::Stopped(message, _) | Self::Full(message, _) | Self::WouldDeadlock(message, _) => message,
        }
    }
}

impl<M> fmt::Display for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(_, name) => write!(f, "module `{name}` has stopped: the message is in this error"),
            Self::Full(_, name) => {
                write!(
                    f,
                    "the mailbox of module `{name}` is full: the message is in this error; send later, or widen `mailbox = N`"
                )
            }
            Self::WouldDeadlock(_, cycle) => write!(f, "waiting for room would never end: {cycle}"),
        }
    }
}

impl<M> fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (variant, detail): (_, &dyn fmt::Debug) = match self {
            Self::Stopped(_, name) => ("Stopped", name),
            Self::Full(_, name) => ("Full", name),
            Self::WouldDeadlock(_, cycle) => ("WouldDeadlock", cycle),
        };
        f.debug_tuple(variant).field(&format_args!("_")).field(detail).finish()
    }
}

impl<M> Error for SendError<M> {}

/// An ask ended without a reply (contract M4 and M5).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The module has stopped, or stopped before it came to the message.
    #[error("module `{module}` has stopped and did not handle `{handler}`")]
    Stopped {
        /// The module's name.
        module: String,
        /// The handler's name.
        handler: &'static str,
    },
    /// No reply came in time. What the handler did meanwhile is unknown; a handler that had not begun does not begin.
    #[error(
        "module `{module}` did not answer `{handler}` within {after:?}: raise it with `.timeout(…)`, or see what holds the module up"
    )]
    Timeout {
        /// The module's name.
        module: String,
        /// The handler's name.
        handler: &'static str,
        /// The deadline that passed, counted from the call; a nested ask has what its caller had left.
        after: Duration,
    },
    /// The handler panicked.
    #[error("module `{module}` panicked in `{handler}`; what it did before is unknown")]
    Panicked {
        /// The module's name.
        module: String,
        /// The handler's name.
        handler: &'static str,
    },
    /// The handler was cut off: its module was [killed](crate::ModuleRef::kill).
    #[error("module `{module}` was cut off in `{handler}`; what it did before is unknown")]
    CutOff {
        /// The module's name.
        module: String,
        /// The handler's name.
        handler: &'static str,
    },
    /// The handler ran longer than it may, was dropped where it was, and its module has failed.
    #[error("`{handler}` of module `{module}` overran its deadline of {after:?}; what it did before is unknown")]
    Overran {
        /// The module's name.
        module: String,
        /// The handler's name.
        handler: &'static str,
        /// How long it may run: `#[handler(deadline = "2s")]`.
        after: Duration,
    },
    /// The handler let its `ReplyTo` go without an answer.
    #[error("module `{module}` dropped the reply of `{handler}`: the handler must call `ReplyTo::send` on every path")]
    NoReply {
        /// The module's name.
        module: String,
        /// The handler's name.
        handler: &'static str,
    },
    /// The message was dropped by the mailbox's overflow policy.
    #[error("the full mailbox of module `{module}` dropped `{handler}`")]
    Dropped {
        /// The module's name.
        module: String,
        /// The handler's name.
        handler: &'static str,
    },
    /// The bounded mailbox is full and its policy rejects.
    #[error("the mailbox of module `{module}` is full and rejected `{handler}`: ask later, or widen `mailbox = N`")]
    Full {
        /// The module's name.
        module: String,
        /// The handler's name.
        handler: &'static str,
    },
    /// The answer could never come: whoever would give it waits, directly or round a cycle, for the module that asks.
    ///
    /// A handler that waits for several things at once, with `select!`, counts as waiting for each of them.
    #[error("the answer of `{handler}` could never come: {cycle}")]
    WouldDeadlock {
        /// The handler's name.
        handler: &'static str,
        /// Who waits for whom.
        cycle: Cycle,
    },
    /// `blocking_ask` was called from inside a handler, whose thread it would block.
    #[error("`blocking_ask` of `{handler}` inside a handler would block the runtime's thread: write `ask(…).await`")]
    WouldBlock {
        /// The handler's name.
        handler: &'static str,
    },
}

/// Modules that wait for each other: each for the next, the last for the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle(pub(crate) Vec<String>);

impl Cycle {
    /// A module that waits for itself.
    pub(crate) fn of_one(name: String) -> Self {
        Self(vec![name])
    }

    /// The modules' names; the first is the one whose call was refused.
    #[must_use]
    pub fn modules(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.0 {
            write!(f, "{name} -> ")?;
        }
        f.write_str(self.0.first().map_or("", String::as_str))?;
        f.write_str(" (send instead of asking, or let the handler take a `ReplyTo` and answer from a task)")
    }
}

/// The error of a hook: any error, or a text.
///
/// It does not implement [`Error`] itself, so that `?` can turn any error into it; a `Box<dyn Error>` is made of it with `?` too.
///
/// ```
/// # use dms::ModuleError;
/// fn open() -> Result<(), ModuleError> {
///     std::fs::File::open("/no/such/file")?;
///     Err("the file is there, but of the wrong kind".into())
/// }
/// assert!(open().unwrap_err().to_string().contains("No such file"));
/// ```
pub struct ModuleError(Box<dyn Error + Send + Sync>);

impl ModuleError {
    /// The error inside.
    #[must_use]
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.0
    }

    /// The error and its causes in one line.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for ModuleError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl From<ModuleError> for Box<dyn Error> {
    fn from(error: ModuleError) -> Self {
        error.0
    }
}

impl fmt::Display for ModuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ModuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
