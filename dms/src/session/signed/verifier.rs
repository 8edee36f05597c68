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
/// its own late ones be refused, as [`Forgotten`](VerifyError::Forgotten).
///
/// It is empty at first: what was verified before the program was started again could be verified a second time. Where that matters, [`not_before`](Self::not_before) refuses what was
/// signed before the start.
///
/// Of a key that is removed only the times of its messages are remembered, as up to three ranges in some 300 bytes, for ever: taken back, it is accepted with what is of other times; and so is another
/// key that is given its id.
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

    /// How many messages of each key are remembered at most; 1 at least. Where more than these come within the window, those that are older than all that is remembered may be refused, as [`Forgotten`](VerifyError::Forgotten).
    #[must_use]
    pub fn remember(mut self, messages: usize) -> Self {
        self.capacity = messages.max(1);
        self
    }

    /// Refuses what may have been verified before this time, as by this program before it was started again: all that was signed earlier, and, since clocks differ, what its signer
    /// says to have signed less than [`clocks_differ_by`](Self::clocks_differ_by) later. So for as long after a start what is signed by a clock that is right is refused too, and is to be sent again.
    ///
    /// It helps where this machine's clock does not go back from one start to the next. While the program runs the clock may.
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
        // What was verified before then was at most so far ahead.
        let not_before = self.not_before.map_or(0, |time| time.saturating_add(self.ahead));
        let oldest = now.saturating_sub(self.window).max(not_before);
        if time < oldest {
            let age = Duration::from_millis(now.saturating_sub(time));
            return Err(VerifyError::TooOld { key, message: id, age });
        }
        let sight = self.memories.lock().entry(key).or_insert(Memory::new()).take_in(time, id, oldest, self.capacity);
        match sight {
            Sight::First => Ok(()),
            Sight::Again => Err(VerifyError::Replayed { key, message: id }),
            Sight::Unknown => Err(VerifyError::Forgotten { key, message: id }),
        }
    }
}

fn whole_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::key::{Algorithm, SigningKey};
    use super::super::signed_message::MessageId;
    use super::*;
    use crate::message::Format;

    const DOMAIN: &str = "test/number";
    /// The time of all tests, in milliseconds.
    const NOW: u64 = 1_800_000_000_000;
    const ALL_TIMES: [u64; 10] =
        [0, 1, NOW - 60_001, NOW - 60_000, NOW, NOW + 5_000, NOW + 5_001, u64::MAX / 2, u64::MAX - 1, u64::MAX];

    fn key(id: &str, secret: u8) -> SigningKey {
        SigningKey::from_bytes(Algorithm::HmacSha256, id, &[secret; 32]).expect("a key")
    }

    fn verifier(keys: &[&SigningKey]) -> Verifier {
        let mut ring = KeyRing::new();
        for key in keys {
            ring.insert(key.verifying_key()).expect("each once");
        }
        Verifier::new(ring, DOMAIN).expect("a domain")
    }

    fn at(milliseconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    /// What whoever has a key can sign: of any time, with any id.
    fn signed(key: &SigningKey, time: u64, id: u128) -> Signed<u64> {
        let header = Header { algorithm: key.algorithm(), key: key.id(), time, id: MessageId(id.to_be_bytes()) };
        let payload = Format::MessagePack.write(&7, 100).expect("a number");
        let prefix = domain_prefix(DOMAIN).expect("a domain");
        let mut text = prefix.clone();
        header.write(1, &mut text);
        text.extend(payload);
        key.sign(&mut text);
        Signed::from_bytes(&text[prefix.len()..]).expect("a message")
    }

    fn verify(verifier: &Verifier, signed: &Signed<u64>, now: u64) -> Result<u64, VerifyError> {
        verifier.verify(signed, at(now)).map(Verified::into_message)
    }

    #[test]
    fn the_window_ends_on_the_millisecond_and_no_replay_passes_at_its_ends() {
        let alice = key("alice", 1);
        for (time, is_accepted) in
            [(NOW - 60_001, false), (NOW - 60_000, true), (NOW + 5_000, true), (NOW + 5_001, false)]
        {
            let verifier = verifier(&[&alice]);
            assert_eq!(verify(&verifier, &signed(&alice, time, 1), NOW).is_ok(), is_accepted, "{time}");
        }
        let verifier = verifier(&[&alice]);
        let message = signed(&alice, NOW, 1);
        assert_eq!(verify(&verifier, &message, NOW - 5_000), Ok(7));
        for now in [NOW - 5_000, NOW, NOW + 59_999, NOW + 60_000] {
            let error = verify(&verifier, &message, now).expect_err("it has been here");
            assert!(matches!(error, VerifyError::Replayed { .. }), "{error}");
            // Another one comes at the same time, which has what is too old forgotten.
            assert_eq!(verify(&verifier, &signed(&alice, now, 2), now), Ok(7));
        }
        let error = verify(&verifier, &message, NOW + 60_001).expect_err("it is too old");
        assert!(matches!(error, VerifyError::TooOld { .. }), "{error}");
    }

    #[test]
    fn no_time_that_is_signed_and_none_that_the_clock_shows_overflows_or_lets_a_message_pass_twice() {
        let (alice, bob) = (key("alice", 1), key("bob", 2));
        let durations = [Duration::ZERO, Duration::from_millis(1), Duration::from_mins(1), Duration::MAX];
        for window in durations {
            for ahead in durations {
                for start in [None, Some(0), Some(NOW), Some(u64::MAX / 2)] {
                    let mut verifier = verifier(&[&alice, &bob]).window(window).clocks_differ_by(ahead).remember(3);
                    if let Some(start) = start {
                        verifier = verifier.not_before(at(start));
                    }
                    let mut accepted = HashSet::new();
                    // The clock jumps to and fro.
                    for now in ALL_TIMES.into_iter().chain(ALL_TIMES.into_iter().rev()) {
                        for time in ALL_TIMES {
                            for id in [0, 1, u128::MAX] {
                                let outcome = verify(&verifier, &signed(&alice, time, id), now);
                                assert!(outcome.is_err() || accepted.insert((time, id)), "{time} {id} twice");
                                let begin = start.map_or(0, |start| start.saturating_add(whole_milliseconds(ahead)));
                                assert!(outcome.is_err() || time >= begin, "{time} is before {begin}");
                            }
                        }
                    }
                    // Nothing of that is remembered of another key.
                    if window == Duration::MAX && start.is_none() {
                        assert_eq!(verify(&verifier, &signed(&bob, 0, 0), NOW), Ok(7));
                    }
                }
            }
        }
    }

    #[test]
    fn after_the_clock_was_wrong_messages_are_accepted_as_before_and_none_twice() {
        const YEAR: u64 = 365 * 24 * 3_600_000;
        let alice = key("alice", 1);
        for wrong in [NOW + YEAR, NOW - YEAR] {
            let verifier = verifier(&[&alice]).remember(100);
            let before = signed(&alice, NOW, 1);
            assert_eq!(verify(&verifier, &before, NOW), Ok(7));
            // That of the signer as well; a message is needed to have anything forgotten.
            let meanwhile: Vec<_> = (0..200).map(|id| signed(&alice, wrong, id)).collect();
            for message in &meanwhile {
                assert_eq!(verify(&verifier, message, wrong), Ok(7));
            }
            for id in 2..50 {
                assert_eq!(verify(&verifier, &signed(&alice, NOW + 1, id), NOW + 1), Ok(7), "{id}");
            }
            for (message, now) in meanwhile.iter().map(|message| (message, wrong)).chain([(&before, NOW)]) {
                assert!(verify(&verifier, message, now).is_err());
            }
        }
    }

    #[test]
    fn a_key_under_the_id_of_another_one_has_none_of_its_messages_pass() {
        let (old, new) = (key("alice", 1), key("alice", 2));
        for is_at_once in [true, false] {
            let verifier = verifier(&[&old]);
            let first = signed(&old, NOW, 1);
            assert_eq!(verify(&verifier, &first, NOW), Ok(7));
            let change = |key: &SigningKey| {
                if !is_at_once {
                    verifier.update_keys(|ring| ring.remove(key.id()));
                }
                let inserted = verifier.update_keys(|ring| {
                    ring.remove(key.id());
                    ring.insert(key.verifying_key())
                });
                inserted.expect("the id is free");
            };
            change(&new);
            for message in [&first, &signed(&old, NOW + 1, 2)] {
                let error = verify(&verifier, message, NOW + 1).expect_err("it is of the other key");
                assert!(matches!(error, VerifyError::BadSignature { .. }), "{error}");
            }
            assert_eq!(verify(&verifier, &signed(&new, NOW + 1, 2), NOW + 1), Ok(7));
            change(&old);
            assert!(verify(&verifier, &first, NOW + 2).is_err(), "it has been here");
            assert_eq!(verify(&verifier, &signed(&old, NOW + 2, 3), NOW + 2), Ok(7));
        }
    }

    #[test]
    fn whoever_fills_the_memory_of_its_key_has_only_its_own_late_messages_refused() {
        let (alice, mallory) = (key("alice", 1), key("mallory", 2));
        let verifier = verifier(&[&alice, &mallory]).remember(50);
        let early = signed(&alice, NOW - 1, 1);
        assert_eq!(verify(&verifier, &early, NOW), Ok(7));
        // The largest ids of the latest time, and ids that others have.
        for id in (0..200).map(|number| u128::MAX - number).chain(0..200) {
            let _ = verify(&verifier, &signed(&mallory, NOW + 5_000, id), NOW);
            let _ = verify(&verifier, &signed(&mallory, NOW - 1, id), NOW);
        }
        assert!(verify(&verifier, &signed(&mallory, NOW - 1, 0), NOW).is_err());
        assert!(matches!(verify(&verifier, &early, NOW), Err(VerifyError::Replayed { .. })));
        for id in 0..40 {
            assert_eq!(verify(&verifier, &signed(&alice, NOW - 2, id), NOW), Ok(7));
        }
        assert!(verifier.memories.lock().values().map(Memory::len).all(|length| length <= 50));
    }

    #[test]
    fn of_a_key_that_is_removed_one_message_is_remembered() {
        let alice = key("alice", 1);
        let verifier = verifier(&[&alice]);
        for id in 0..100 {
            assert_eq!(verify(&verifier, &signed(&alice, NOW, id), NOW), Ok(7));
        }
        let length = || verifier.memories.lock()[&alice.id()].len();
        verifier.update_keys(|_| {});
        assert_eq!(length(), 100, "a change of others takes nothing");
        verifier.update_keys(|ring| ring.remove(alice.id()));
        assert_eq!(length(), 0);
        verifier.update_keys(|ring| ring.insert(alice.verifying_key())).expect("the id is free");
        for id in 0..100 {
            assert!(verify(&verifier, &signed(&alice, NOW, id), NOW).is_err(), "{id}");
        }
        assert_eq!(verify(&verifier, &signed(&alice, NOW, 100), NOW), Ok(7));
    }
}
