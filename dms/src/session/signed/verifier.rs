//! Verifying messages.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use parking_lot::{Mutex, RwLock};
use serde::de::DeserializeOwned;

use super::error::{KeyError, VerifyError};
use super::key::KeyId;
use super::key_ring::KeyRing;
use super::replay::{Memory, Sight};
use super::signed_message::{Header, Signed, milliseconds};
use super::signer::domain_prefix;
use super::verified::Verified;
use crate::message::{Format, MAX_PAYLOAD};

/// Verifies messages, each once.
///
/// It can be shared by reference between tasks. The time is passed in, so that tests need not wait.
///
/// # Memory
/// To tell what has been here before it remembers the messages of the window: at most [`remember`](Self::remember) of each key, 65,536 where nothing is said, which take up to 64 bytes
/// each. Only messages with a right signature are remembered, so others can neither fill the memory nor have a message forgotten; and a key that signs very many only makes
/// its own late ones be refused.
///
/// It is empty at first: what was verified before the program was started again could be verified a second time. Where that matters, [`not_before`](Self::not_before) refuses what was
/// signed before the start.
///
/// Of a key that is removed only the time of its newest message is remembered, some 100 bytes, for ever: taken back, it is accepted with what is newer.
///
/// # What is not refused
/// A message says who signed it, not to whom: it is accepted once by *each* verifier of its domain. Where that matters name the receiver in the message, or in the domain. And where both
/// sides sign with one shared key, see [`Algorithm::HmacSha256`](super::Algorithm::HmacSha256).
#[derive(Debug)]
pub struct Verifier {
    /// The beginning of each signed text.
    prefix: Vec<u8>,
    keys: RwLock<KeyRing>,
    /// In milliseconds.
    window: u64,
    /// In milliseconds.
    ahead: u64,
    /// In milliseconds since 1970.
    not_before: Option<u64>,
    capacity: usize,
    /// By the keys that have signed something. Those of keys that were removed stay, so that taking a key back opens no door.
    memories: Mutex<HashMap<KeyId, Memory>>,
}

impl Verifier {
    /// A verifier that trusts these keys, for messages of this domain, which is that of their [signers](super::Signer::new): with a window of a minute, and clocks that differ by up to 5 seconds.
    ///
    /// # Errors
    /// [`KeyError::NoDomain`].
    pub fn new(keys: KeyRing, domain: impl AsRef<str>) -> Result<Self, KeyError> {
        Ok(Self {
            prefix: domain_prefix(domain.as_ref())?,
            keys: RwLock::new(keys),
            window: 60_000,
            ahead: 5_000,
            not_before: None,
            capacity: 65_536,
            memories: Mutex::default(),
        })
    }

    /// How long after it was signed a message is accepted.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = whole_milliseconds(window);
        self
    }

    /// How far the signer's clock may be ahead of this one's.
    #[must_use]
    pub fn clocks_differ_by(mut self, ahead: Duration) -> Self {
        self.ahead = whole_milliseconds(ahead);
        self
    }

    /// How many messages of each key are remembered at most; 1 at least. Where more than these come within the window, those that are older than all that is remembered are refused.
    #[must_use]
    pub fn remember(mut self, messages: usize) -> Self {
        self.capacity = messages.max(1);
        self
    }

    /// Refuses what may have been verified before this time, as by this program before it was started again: all that was signed earlier, and, since clocks differ, what its signer
    /// says to have signed less than [`clocks_differ_by`](Self::clocks_differ_by) later. So for as long after a start what is signed by a clock that is right is refused too, and is to be sent again.
    #[must_use]
    pub fn not_before(mut self, time: SystemTime) -> Self {
        self.not_before = Some(milliseconds(time));
        self
    }

    /// Changes which keys are trusted; it holds for every `verify` that begins afterwards.
    ///
    /// `update` must not verify with this verifier: it would wait for itself.
    pub fn update_keys<R>(&self, update: impl FnOnce(&mut KeyRing) -> R) -> R {
        let mut keys = self.keys.write();
        let outcome = update(&mut keys);
        for (key, memory) in self.memories.lock().iter_mut() {
            if keys.trusted(*key).is_none() {
                memory.collapse();
            }
        }
        outcome
    }

    /// The message, if it was signed with a key that is trusted, in this domain, within the window, and was not here before.
    ///
    /// What is decoded are the very bytes whose signature was verified. Of two calls with the same message, however close, one at most has it.
    ///
    /// # Errors
    /// What is wrong with it. Until the signature is known to be right, nothing else that the message says is believed.
    pub fn verify<M: DeserializeOwned>(&self, signed: &Signed<M>, now: SystemTime) -> Result<Verified<M>, VerifyError> {
        let header = signed.header();
        self.check_signature(&header, signed)?;
        self.check_time(&header, milliseconds(now))?;
        // Only messages with a right signature are read, so the reason may be long.
        let message = Format::MessagePack
            .read(signed.payload(), MAX_PAYLOAD)
            .map_err(|error| VerifyError::Unreadable { key: header.key, reason: error.to_string() })?;
        Ok(Verified::new(message, &header))
    }

    fn check_signature<M>(&self, header: &Header, signed: &Signed<M>) -> Result<(), VerifyError> {
        let key = header.key;
        let keys = self.keys.read();
        let trusted = keys.trusted(key).ok_or(VerifyError::UnknownKey { key })?;
        let expected = trusted.key.algorithm();
        if header.algorithm != expected {
            return Err(VerifyError::WrongAlgorithm { key, expected, used: header.algorithm });
        }
        if !trusted.key.is_signature([&self.prefix, signed.text()], signed.signature()) {
            return Err(VerifyError::BadSignature { key });
        }
        if trusted.until.is_some_and(|until| header.time > until) {
            return Err(VerifyError::Retired { key });
        }
        Ok(())
    }

    /// Looks at the time, and takes the message in, as one that has been here.
    fn check_time(&self, header: &Header, now: u64) -> Result<(), VerifyError> {
        let Header { key, id, time, .. } = *header;
        if time > now.saturating_add(self.ahead) {
            return Err(VerifyError::FromTheFuture { key, message: id, ahead: Duration::from_millis(time - now) });
        }
        let too_old = || VerifyError::TooOld { key, message: id, age: Duration::from_millis(now.saturating_sub(time)) };
        // What was verified before then was at most so far ahead.
        let not_before = self.not_before.map_or(0, |time| time.saturating_add(self.ahead));
        let oldest = now.saturating_sub(self.window).max(not_before);
        if time < oldest {
            return Err(too_old());
        }
        let sight = self.memories.lock().entry(key).or_insert(Memory::new()).take_in(time, id, oldest, self.capacity);
        match sight {
            Sight::First => Ok(()),
            Sight::Again => Err(VerifyError::Replayed { key, message: id }),
            Sight::Unknown => Err(too_old()),
        }
    }
}

fn whole_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
