//! Signing messages.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use serde::Serialize;

use super::error::{KeyError, SignError};
use super::key::{KeyId, SigningKey, random};
use super::signed_message::{Header, MessageId, Signed, milliseconds};
use crate::message::{Format, MAX_PAYLOAD, PayloadError};

/// Begins all that is signed here, so that a signature made for something else never fits, and the other way round.
const PURPOSE: &[u8] = b"dms signed message 1\0";

/// The beginning of what is signed in a domain; it does not travel.
pub(super) fn domain_prefix(domain: &str) -> Result<Vec<u8>, KeyError> {
    if domain.is_empty() {
        return Err(KeyError::NoDomain);
    }
    let length = u64::try_from(domain.len()).unwrap_or(u64::MAX);
    Ok([PURPOSE, &length.to_be_bytes(), domain.as_bytes()].concat())
}

/// Signs messages with one key.
///
/// It can be shared by reference between tasks; each message gets an id of its own.
///
/// ```
/// use std::time::SystemTime;
/// use dms::session::{Algorithm, KeyRing, Signer, SigningKey, Verifier, VerifyError};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = SigningKey::generate(Algorithm::Ed25519, "alice")?;
/// let mut ring = KeyRing::new();
/// ring.insert(key.verifying_key())?;
///
/// let signer = Signer::new(key, "bank/transfer")?;
/// let signed = signer.sign(&("bob".to_owned(), 42), SystemTime::now())?;
///
/// let verifier = Verifier::new(ring, "bank/transfer")?;
/// let verified = verifier.verify(&signed, SystemTime::now())?;
/// assert_eq!(verified.signer().as_str(), "alice");
/// assert_eq!(verified.message(), &("bob".to_owned(), 42));
///
/// let again = verifier.verify(&signed, SystemTime::now());
/// assert!(matches!(again, Err(VerifyError::Replayed { .. })));
/// # Ok(())
/// # }
/// ```
pub struct Signer {
    key: SigningKey,
    /// The beginning of each signed text.
    prefix: Vec<u8>,
    /// The first half of each message id: tells this signer from others with the same key, also from itself before a restart.
    instance: [u8; 8],
    /// The other half of the next one.
    next: AtomicU64,
}

impl Signer {
    /// A signer with this key, for messages of this domain.
    ///
    /// The domain says what the messages are for: name the protocol and the type of the message, as `"bank/transfer"`, and the direction, as `"bank/transfer/to-client"`, where both sides have
    /// the same key. It does not travel, but is signed. What was signed in one domain is refused in another; without that, a message of one type could be passed off as one of another whose
    /// fields have the same names.
    ///
    /// # Errors
    /// [`KeyError::NoDomain`], and [`KeyError::NoRandomness`]: ids of messages begin with a random number.
    pub fn new(key: SigningKey, domain: impl AsRef<str>) -> Result<Self, KeyError> {
        let prefix = domain_prefix(domain.as_ref())?;
        let mut instance = [0; 8];
        random(&mut instance)?;
        Ok(Self { key, prefix, instance, next: AtomicU64::new(0) })
    }

    /// The id of the key that it signs with.
    #[must_use]
    pub fn key(&self) -> KeyId {
        self.key.id()
    }

    /// Signs a message, as one of the time `now`, which is accepted for as long after it as the [window](super::Verifier::window) of the verifier is.
    ///
    /// # Errors
    /// The message takes more than 8 MiB, or it has no form in MessagePack.
    pub fn sign<M: Serialize>(&self, message: &M, now: SystemTime) -> Result<Signed<M>, SignError> {
        let payload = Format::MessagePack.write(message, MAX_PAYLOAD).map_err(|error| match error {
            PayloadError::TooLarge { limit } => SignError::TooLarge { limit },
            PayloadError::Unwritable { reason, .. } => SignError::Unwritable { reason },
            other => SignError::Unwritable { reason: other.to_string() },
        })?;
        let length = u32::try_from(payload.len()).map_err(|_| SignError::TooLarge { limit: MAX_PAYLOAD })?;
        let header =
            Header { algorithm: self.key.algorithm(), key: self.key.id(), time: milliseconds(now), id: self.next_id() };

        let mut text = Vec::with_capacity(self.prefix.len() + header.message_length(payload.len()));
        text.extend_from_slice(&self.prefix);
        header.write(length, &mut text);
        text.extend_from_slice(&payload);
        self.key.sign(&mut text);
        text.drain(..self.prefix.len());
        Ok(Signed::new(header, text))
    }

    fn next_id(&self) -> MessageId {
        let mut id = [0; 16];
        let (instance, number) = id.split_at_mut(8);
        instance.copy_from_slice(&self.instance);
        number.copy_from_slice(&self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        MessageId(id)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("key", &self.key).finish_non_exhaustive()
    }
}
