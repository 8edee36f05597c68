//! A message that somebody vouches for.

use std::time::SystemTime;

use super::key::KeyId;
use super::signed_message::{Header, MessageId, time_of};

/// A message, and who signed it. Only [`Verifier::verify`](super::Verifier::verify) makes one: whoever takes a `Verified<M>` need not ask whether somebody has looked.
///
/// It cannot be read from bytes, nor changed; [`into_message`](Self::into_message) gives the message away, and the proof is gone. It does not dereference to the message, which may
/// have an `id` or a `signer` of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<M> {
    message: M,
    signer: KeyId,
    id: MessageId,
    /// In milliseconds since 1970.
    time: u64,
}

impl<M> Verified<M> {
    pub(super) fn new(message: M, header: &Header) -> Self {
        Self { message, signer: header.key, id: header.id, time: header.time }
    }

    /// The id of the key that signed it.
    #[must_use]
    pub fn signer(&self) -> KeyId {
        self.signer
    }

    /// What tells it from other messages of the same key.
    #[must_use]
    pub fn id(&self) -> MessageId {
        self.id
    }

    /// When it was signed, as the signer says, to the millisecond.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        time_of(self.time)
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &M {
        &self.message
    }

    /// The message, to keep or change.
    #[must_use]
    pub fn into_message(self) -> M {
        self.message
    }
}
