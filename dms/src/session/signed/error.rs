//! What can be wrong with keys, and with what they signed.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::key::{Algorithm, KeyId};
use super::signed_message::MessageId;

/// Something cannot be used as a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The name of a key is not one.
    #[error(
        "{id:?} cannot be the id of a key: write 1 to {} letters, digits, or other visible ASCII characters, without spaces",
        KeyId::MAX
    )]
    Id {
        /// What was given; of a long one, its beginning.
        id: String,
    },
    /// The operating system has no random numbers to give.
    #[error("the operating system gives no random numbers: {reason}")]
    NoRandomness {
        /// What it said.
        reason: String,
    },
    /// It is not said what is signed.
    #[error("the domain is empty: name the protocol and the type of the message, as \"bank/transfer\"")]
    NoDomain,
    /// The bytes are no public key of Ed25519.
    #[error("the bytes of `{key}` are no public key of Ed25519: take those of `VerifyingKey::to_bytes`")]
    NotAPoint {
        /// The key.
        key: KeyId,
    },
    /// A public key under which a signature can be made without the secret.
    #[error(
        "the public key `{key}` is a weak one, under which anybody can sign: generate another with `SigningKey::generate`"
    )]
    Weak {
        /// The key.
        key: KeyId,
    },
    /// The ring has another key of this id.
    #[error("the ring has another key `{key}`: give the new one an id of its own, or remove the old one first")]
    IdTaken {
        /// The id.
        key: KeyId,
    },
}

/// A key cannot be written to a file, or read from one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// There is a file already; a key is not overwritten.
    #[error("there is a file `{}` already: keys are not overwritten; move it away, or choose another path", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file can be read by others than its owner.
    #[error("the key file `{}` can be used by others than its owner (mode {mode:03o}): run `chmod 600` on it, and replace the key if others may have read it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions, as `chmod` takes them.
        mode: u32,
    },
    /// The file does not hold a key of this kind.
    #[error("`{}` is no file of a {expected}: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What it was to hold.
        expected: &'static str,
        /// What is wrong with it; nothing of its content.
        reason: &'static str,
    },
    /// What the file holds cannot be used as a key.
    #[error("the key in `{}` cannot be used", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: KeyError,
    },
    /// The file cannot be read.
    #[error("the key file `{}` cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("the key file `{}` cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// A message cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The message is above the limit.
    #[error(
        "the message is larger than {limit} bytes: sign what names the content, such as its hash, and send the content beside it"
    )]
    TooLarge {
        /// How many bytes a payload may have.
        limit: usize,
    },
    /// The message has no form in MessagePack.
    #[error("the message is not writable as MessagePack: {reason}")]
    Unwritable {
        /// What is wrong.
        reason: String,
    },
}

/// Bytes that are no signed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedError {
    /// They end before the message does, or go on behind it.
    #[error("the bytes are not those of one signed message, whole and alone")]
    Length,
    /// They are of a version that is not known here.
    #[error(
        "the signed message has the form of version {found}, and this program reads version 1: update the older program"
    )]
    Version {
        /// The version.
        found: u8,
    },
    /// They name an algorithm that is not known here.
    #[error(
        "the signed message names algorithm {found}, which this program does not know: update it, or sign with Ed25519"
    )]
    Algorithm {
        /// Its number.
        found: u8,
    },
    /// The id of the key is not one.
    #[error("the signed message has no id of a key where it should: it was not made by a `Signer`")]
    KeyId,
    /// They are more than any signed message has.
    #[error("the signed message is larger than {limit} bytes: it was not made by a `Signer`")]
    TooLarge {
        /// How many bytes a signed message may have.
        limit: usize,
    },
}

/// A signed message is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The ring has no key of this id.
    #[error("the key `{key}` is not known: put it into the key ring if it is to be trusted")]
    UnknownKey {
        /// The id that the message says.
        key: KeyId,
    },
    /// The key is one of another algorithm.
    #[error("the message is signed with {used}, and the key `{key}` is one of {expected}: one key, one algorithm")]
    WrongAlgorithm {
        /// The key.
        key: KeyId,
        /// What the key is for.
        expected: Algorithm,
        /// What the message says.
        used: Algorithm,
    },
    /// The signature is not that of the key over these bytes.
    #[error(
        "the signature is not one of the key `{key}` over this message in this domain: it was changed on its way, or somebody else made it"
    )]
    BadSignature {
        /// The key.
        key: KeyId,
    },
    /// The key signed it after it was retired.
    #[error("the key `{key}` was retired before it signed the message: sign with its successor")]
    Retired {
        /// The key.
        key: KeyId,
    },
    /// It was signed too long ago, or before [`Verifier::not_before`](super::Verifier::not_before).
    #[error(
        "the message {message} of `{key}` was signed {age:?} ago, too long to tell whether it has been here before: send it sooner, set the clocks, or widen `Verifier::window`"
    )]
    TooOld {
        /// The key.
        key: KeyId,
        /// The message.
        message: MessageId,
        /// How long ago.
        age: Duration,
    },
    /// It is of a time of which something was forgotten, and may have been here before: of the key more messages came than are remembered, a clock was wrong for a while, or the key was taken back.
    #[error(
        "the message {message} of `{key}` may have been here before, for not all is remembered of its time: sign it anew, and where that is often, raise `Verifier::remember`, or set the clocks"
    )]
    Forgotten {
        /// The key.
        key: KeyId,
        /// The message.
        message: MessageId,
    },
    /// It was signed in the future.
    #[error("the message {message} of `{key}` is of a time {ahead:?} ahead: set the clocks of both machines")]
    FromTheFuture {
        /// The key.
        key: KeyId,
        /// The message.
        message: MessageId,
        /// How far ahead.
        ahead: Duration,
    },
    /// The message has been here before.
    #[error("the message {message} of `{key}` has been here before")]
    Replayed {
        /// The key.
        key: KeyId,
        /// The message.
        message: MessageId,
    },
    /// The signature is right, but what is signed is not a message of this type.
    #[error("what `{key}` signed cannot be read as the type that is wanted: {reason}")]
    Unreadable {
        /// The key.
        key: KeyId,
        /// What is wrong.
        reason: String,
    },
}
