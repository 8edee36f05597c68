//! Whose messages are believed.

use std::collections::HashMap;
use std::time::SystemTime;

use super::error::KeyError;
use super::key::{KeyId, VerifyingKey};
use super::signed_message::milliseconds;

/// The keys that are trusted, by their ids.
///
/// A key is replaced in three steps, and no message is lost: [`insert`](Self::insert) the new one, under an id of its own, wherever messages are verified; sign with it;
/// [`retire`](Self::retire) the old one, and [`remove`](Self::remove) it when the last of its messages has come. While a verifier is in use that is done through
/// [`Verifier::update_keys`](super::Verifier::update_keys).
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    keys: HashMap<KeyId, Trusted>,
}

/// A key, and how long it is trusted.
#[derive(Debug, Clone)]
pub(super) struct Trusted {
    pub(super) key: VerifyingKey,
    /// In milliseconds since 1970; what is signed later is refused.
    pub(super) until: Option<u64>,
}

impl KeyRing {
    /// A ring without keys: nobody is trusted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts a key.
    ///
    /// # Errors
    /// [`KeyError::IdTaken`]: there is a key of this id, whichever it is; the ring is as it was. The id is what messages are known by, so it never changes its meaning by accident.
    pub fn insert(&mut self, key: VerifyingKey) -> Result<(), KeyError> {
        let id = key.id();
        if self.keys.contains_key(&id) {
            return Err(KeyError::IdTaken { key: id });
        }
        self.keys.insert(id, Trusted { key, until: None });
        Ok(())
    }

    /// Has what the key signs after this time refused; what it signed before is verified as ever. Returns whether the ring has the key.
    ///
    /// The time is the one that the signer wrote. Whoever stole the key writes an earlier one, and gets away with it as long as the window of the verifier is: a stolen key is
    /// [removed](Self::remove).
    pub fn retire(&mut self, id: KeyId, at: SystemTime) -> bool {
        let key = self.keys.get_mut(&id);
        key.map(|trusted| trusted.until = Some(milliseconds(at))).is_some()
    }

    /// Trusts a key no more.
    pub fn remove(&mut self, id: KeyId) -> Option<VerifyingKey> {
        self.keys.remove(&id).map(|trusted| trusted.key)
    }

    /// The key of an id.
    #[must_use]
    pub fn get(&self, id: KeyId) -> Option<&VerifyingKey> {
        self.trusted(id).map(|trusted| &trusted.key)
    }

    /// The ids of all keys, in no order.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.keys.keys().copied()
    }

    pub(super) fn trusted(&self, id: KeyId) -> Option<&Trusted> {
        self.keys.get(&id)
    }
}
