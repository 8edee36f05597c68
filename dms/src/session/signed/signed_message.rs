//! The form of a signed message on the wire.
//!
//! ```text
//! version  algorithm  length of the key id  key id  time     message id  length of the payload  payload  signature
//! 1 byte   1 byte     1 byte                        8 bytes  16 bytes    4 bytes                         64 or 32 bytes
//! ```
//!
//! Numbers are big-endian. There is one way to write a message, so no bit of it can change without the signature becoming wrong: it is over all that comes before it, and
//! over the domain, which does not travel.

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime};

use serde::de::{Error as _, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::MalformedError;
use super::key::{Algorithm, KeyId};
use crate::message::MAX_PAYLOAD;

/// The version of the form.
const VERSION: u8 = 1;
/// What comes before the id of the key.
const BEFORE_KEY: usize = 3;
/// Behind the key: time, message id and the length of the payload.
const BEFORE_PAYLOAD: usize = 8 + 16 + 4;
/// The most bytes of a signed message.
const LIMIT: usize = BEFORE_KEY + KeyId::MAX + BEFORE_PAYLOAD + MAX_PAYLOAD + 64;

/// What tells two messages of one key apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub(super) [u8; 16]);

impl MessageId {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({self})")
    }
}

/// A message of type `M` as it travels, with its signature. Nobody has verified it: what it holds cannot be reached but through
/// [`Verifier::verify`](super::Verifier::verify).
///
/// It is written and read by serde, as one value of bytes; so it can be a part of other messages. To send it alone there are [`as_bytes`](Self::as_bytes) and
/// [`from_bytes`](Self::from_bytes).
pub struct Signed<M> {
    frame: Box<[u8]>,
    header: Header,
    message: PhantomData<fn() -> M>,
}

/// What a message says of itself.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) key: KeyId,
    /// In milliseconds since 1970.
    pub(super) time: u64,
    pub(super) id: MessageId,
}

impl Header {
    /// Writes what comes before the payload.
    pub(super) fn write(&self, payload: u32, bytes: &mut Vec<u8>) {
        let key = self.key.as_bytes();
        bytes.extend([VERSION, self.algorithm.number(), u8::try_from(key.len()).unwrap_or_default()]);
        bytes.extend(key);
        bytes.extend(self.time.to_be_bytes());
        bytes.extend(self.id.0);
        bytes.extend(payload.to_be_bytes());
    }

    /// How many bytes the whole message has.
    pub(super) fn message_length(&self, payload: usize) -> usize {
        self.payload_begin() + payload + self.algorithm.signature_length()
    }

    fn payload_begin(&self) -> usize {
        BEFORE_KEY + self.key.as_bytes().len() + BEFORE_PAYLOAD
    }

    /// Reads it, if it is followed by exactly what it says.
    fn read(frame: &[u8]) -> Result<Self, MalformedError> {
        if frame.len() > LIMIT {
            return Err(MalformedError::TooLarge { limit: LIMIT });
        }
        let mut rest = Rest(frame);
        let [version] = rest.take()?;
        if version != VERSION {
            return Err(MalformedError::Version { found: version });
        }
        let [algorithm] = rest.take()?;
        let algorithm = Algorithm::of(algorithm).ok_or(MalformedError::Algorithm { found: algorithm })?;
        let [length] = rest.take()?;
        let key = KeyId::from_bytes(rest.slice(usize::from(length))?).ok_or(MalformedError::KeyId)?;
        let time = u64::from_be_bytes(rest.take()?);
        let id = MessageId(rest.take()?);
        let payload = u32::from_be_bytes(rest.take()?);
        rest.slice(usize::try_from(payload).map_err(|_| MalformedError::Length)?)?;
        if rest.0.len() != algorithm.signature_length() {
            return Err(MalformedError::Length);
        }
        Ok(Self { algorithm, key, time, id })
    }
}

/// What has not been read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn slice(&mut self, length: usize) -> Result<&'a [u8], MalformedError> {
        let (slice, rest) = self.0.split_at_checked(length).ok_or(MalformedError::Length)?;
        self.0 = rest;
        Ok(slice)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], MalformedError> {
        self.slice(N)?.try_into().map_err(|_| MalformedError::Length)
    }
}

impl<M> Signed<M> {
    /// The message that these bytes are, which are those of [`as_bytes`](Self::as_bytes). Nothing is verified, and the payload is not looked at.
    ///
    /// # Errors
    /// They are not those of one signed message, whole and alone.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MalformedError> {
        // Looked at first: nothing is allocated for what is refused.
        let header = Header::read(bytes)?;
        Ok(Self { frame: bytes.into(), header, message: PhantomData })
    }

    /// A frame that is right by the way it was made.
    pub(super) fn new(header: Header, frame: Vec<u8>) -> Self {
        Self { frame: frame.into(), header, message: PhantomData }
    }

    /// The message as bytes, to be sent.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.frame
    }

    /// The key that the message says it was signed with; whether that is true, only a verifier can say.
    #[must_use]
    pub fn claimed_signer(&self) -> KeyId {
        self.header.key
    }

    /// The id that the message says it has.
    #[must_use]
    pub fn claimed_id(&self) -> MessageId {
        self.header.id
    }

    pub(super) fn header(&self) -> Header {
        self.header
    }

    /// All that is signed, but for the domain.
    pub(super) fn text(&self) -> &[u8] {
        &self.frame[..self.frame.len() - self.header.algorithm.signature_length()]
    }

    pub(super) fn signature(&self) -> &[u8] {
        &self.frame[self.text().len()..]
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.text()[self.header.payload_begin()..]
    }
}

impl<M> Clone for Signed<M> {
    fn clone(&self) -> Self {
        Self { frame: self.frame.clone(), header: self.header, message: PhantomData }
    }
}

impl<M> PartialEq for Signed<M> {
    fn eq(&self, other: &Self) -> bool {
        self.frame == other.frame
    }
}

impl<M> Eq for Signed<M> {}

impl<M> fmt::Debug for Signed<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("claimed_signer", &self.header.key)
            .field("claimed_id", &self.header.id)
            .field("bytes", &self.frame.len())
            .finish_non_exhaustive()
    }
}

impl<M> Serialize for Signed<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.frame)
    }
}

impl<'de, M> Deserialize<'de> for Signed<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let is_array = deserializer.is_human_readable();
        deserializer.deserialize_bytes(Frame { is_array, message: PhantomData })
    }
}

/// Takes the bytes from a deserializer.
struct Frame<M> {
    /// Whether they come as an array of numbers, as in JSON. Where the format has bytes, nothing else is them.
    is_array: bool,
    message: PhantomData<fn() -> M>,
}

impl<'de, M> Visitor<'de> for Frame<M> {
    type Value = Signed<M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a signed message")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Signed<M>, E> {
        Signed::from_bytes(bytes).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Signed<M>, A::Error> {
        if !self.is_array {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        let mut bytes = Vec::new();
        while let Some(byte) = elements.next_element()? {
            if bytes.len() == LIMIT {
                return Err(A::Error::custom(MalformedError::TooLarge { limit: LIMIT }));
            }
            bytes.push(byte);
        }
        self.visit_bytes(&bytes)
    }
}

/// Milliseconds since 1970; a time before that is 1970.
pub(super) fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The time of so many milliseconds since 1970; one that the clock does not know is 1970.
pub(super) fn time_of(milliseconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds)).unwrap_or(SystemTime::UNIX_EPOCH)
}
