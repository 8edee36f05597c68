//! What the asker of a request by name can meet.

use std::time::Duration;

use super::error::AskError;
use crate::message::PayloadError;

/// A request by name ended without a response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// No module that runs has the name, or provides it.
    #[error("no module is named `{name}` or provides it; {}", existing("there are", .names))]
    UnknownModule {
        /// The name.
        name: String,
        /// The names and the capabilities that exist.
        names: Vec<String>,
    },
    /// The module has no remote handler of the name.
    #[error("module `{module}` has no remote handler `{request}`; {}", existing("it has", .requests))]
    UnknownRequest {
        /// The module's name.
        module: String,
        /// The name of the request.
        request: String,
        /// The names of the module's remote handlers.
        requests: Vec<String>,
    },
    /// The payload is not what the handler takes. The module has not heard of it.
    #[error("the payload of `{request}` for module `{module}` is no `{expected}`")]
    Payload {
        /// The module's name.
        module: String,
        /// The handler's name.
        request: String,
        /// The message that the handler takes, as it was written.
        expected: String,
        /// What is wrong with the payload.
        source: PayloadError,
    },
    /// The handler has run, and its reply cannot be made into bytes.
    #[error("module `{module}` handled `{request}`, and its reply has no bytes")]
    Reply {
        /// The module's name.
        module: String,
        /// The handler's name.
        request: String,
        /// What is wrong with the reply.
        source: PayloadError,
    },
    /// No reply came in time. What the handler did meanwhile is unknown; a handler that had not begun does not begin.
    #[error(
        "module `{module}` did not answer `{request}` within {after:?}: raise it with `.timeout(…)`, or see what holds the module up"
    )]
    Timeout {
        /// The module's name.
        module: String,
        /// The name of the request.
        request: String,
        /// The deadline that passed, counted from the call; a nested request has what its caller had left.
        after: Duration,
    },
    /// `blocking_request` was called from inside a handler, whose thread it would block.
    #[error(
        "`blocking_request` of `{request}` inside a handler would block the runtime's thread: write `request(…).await`"
    )]
    WouldBlock {
        /// The name of the request.
        request: String,
    },
    /// Any other end of an ask: the module has stopped, has panicked, is full, or waits for the one that asks.
    #[error(transparent)]
    Unanswered(AskError),
}

impl RequestError {
    /// The end of the ask that the request is underneath.
    pub(super) fn unanswered(error: AskError, request: String) -> Self {
        match error {
            AskError::Timeout { module, after, .. } => Self::Timeout { module, request, after },
            error => Self::Unanswered(error),
        }
    }
}

fn existing(there: &str, names: &[String]) -> String {
    match names {
        [] => format!("{there} none"),
        names => format!("{there}: {}", names.join(", ")),
    }
}
