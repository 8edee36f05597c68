//! What can be wrong with bytes.

use super::codec::Format;

/// A payload that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// It is above the system's limit.
    #[error("larger than the limit of {limit} bytes: send less, or raise `SystemBuilder::max_payload`")]
    TooLarge {
        /// How many bytes a payload may have.
        limit: usize,
    },
    /// It cannot be read as the type that is wanted.
    #[error("not readable as {format}: {reason}")]
    Unreadable {
        /// How it was read.
        format: Format,
        /// What is wrong, and where.
        reason: String,
    },
    /// The value has no form in this format.
    #[error("not writable as {format}: {reason}")]
    Unwritable {
        /// How it was to be written.
        format: Format,
        /// What is wrong.
        reason: String,
    },
    /// The type's own `Serialize` or `Deserialize` panicked.
    #[error("its `Serialize` or `Deserialize` panicked: {text}")]
    Panicked {
        /// What the panic said.
        text: String,
    },
}

/// A response is not the value that was wanted of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// The module answered with [`Response::err`](crate::Response::err).
    #[error("the module refused: {text}")]
    Refused {
        /// What the module said.
        text: String,
    },
    /// The payload cannot be read as the type.
    #[error("the response's payload is not what was expected")]
    Payload(#[from] PayloadError),
}
