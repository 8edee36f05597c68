//! Signed messages: what is accepted, and all that is not.
#![allow(clippy::similar_names, reason = "what a signer makes is signed")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use allocation_counter::measure;
use dms::session::{
    Algorithm, KeyError, KeyFileError, KeyId, KeyRing, MalformedError, SignError, Signed, Signer, SigningKey, Verifier,
    VerifyError, VerifyingKey,
};
use dms_tests::cases;
use serde::{Deserialize, Serialize};

const ALGORITHMS: [Algorithm; 2] = [Algorithm::Ed25519, Algorithm::HmacSha256];

const DOMAIN: &str = "test/vote";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Vote {
    round: u64,
    value: String,
}

fn vote(round: u64) -> Vote {
    Vote { round, value: format!("value {round}") }
}

/// The time of all tests: whoever passes the clock in needs none.
fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

fn now() -> SystemTime {
    at(0)
}

fn key(algorithm: Algorithm, id: &str) -> SigningKey {
    SigningKey::generate(algorithm, id).unwrap()
}

fn ring<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> KeyRing {
    let mut ring = KeyRing::new();
    for key in keys {
        ring.insert(key.verifying_key()).unwrap();
    }
    ring
}

/// A signer, and a verifier that trusts it.
fn pair(algorithm: Algorithm) -> (Signer, Verifier) {
    let key = key(algorithm, "alice");
    let verifier = Verifier::new(ring([&key]), DOMAIN).unwrap();
    (Signer::new(key, DOMAIN).unwrap(), verifier)
}

/// How many of each kind: 2,000, and 100,000 in the long variant.
fn many() -> u64 {
    cases(2_000, 100_000).into()
}

#[test]
fn a_message_is_verified_with_who_signed_it_and_when() {
    for algorithm in ALGORITHMS {
        let (signer, verifier) = pair(algorithm);
        let time = now() + Duration::from_millis(7);
        let signed = signer.sign(&vote(1), time).unwrap();
        assert_eq!(signed.claimed_signer().as_str(), "alice");
        let verified = verifier.verify(&signed, now()).unwrap();
        assert_eq!(verified.message(), &vote(1));
        assert_eq!((verified.signer(), verified.id(), verified.time()), (signer.key(), signed.claimed_id(), time));
        assert_eq!(verified.into_message(), vote(1));
    }
}

#[test]
fn a_signed_message_is_a_part_of_others_in_every_format() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Message {
        Vote { to: u32, vote: Signed<Vote> },
    }
    for algorithm in ALGORITHMS {
        let (signer, verifier) = pair(algorithm);
        let message = Message::Vote { to: 7, vote: signer.sign(&vote(1), now()).unwrap() };
        let Message::Vote { vote: signed, .. } = &message;
        assert_eq!(Signed::from_bytes(signed.as_bytes()).as_ref(), Ok(signed));

        let packed = rmp_serde::to_vec_named(&message).unwrap();
        assert!(packed.len() < signed.as_bytes().len() + 40, "bytes are bytes: {}", packed.len());
        assert_eq!(rmp_serde::from_slice::<Message>(&packed).unwrap(), message);
        let json = serde_json::to_string(&message).unwrap();
        let Message::Vote { vote: signed, .. } = serde_json::from_str(&json).unwrap();
        assert_eq!(verifier.verify(&signed, now()).unwrap().message(), &vote(1));
    }
}

#[test]
fn every_bit_that_flips_is_noticed() {
    for algorithm in ALGORITHMS {
        let (signer, verifier) = pair(algorithm);
        let (mut flips, mut round) = (0, 0);
        while flips < many() {
            let signed = signer.sign(&vote(round), now()).unwrap();
            let mut bytes = signed.as_bytes().to_vec();
            for bit in 0..8 * bytes.len() {
                bytes[bit / 8] ^= 1 << (bit % 8);
                if let Ok(flipped) = Signed::<Vote>::from_bytes(&bytes) {
                    let refused = verifier.verify(&flipped, now());
                    assert!(refused.is_err(), "{algorithm}: bit {bit} of round {round}: {refused:?}");
                }
                bytes[bit / 8] ^= 1 << (bit % 8);
                flips += 1;
            }
            // None of them was taken for the message, nor is it spoiled.
            assert_eq!(verifier.verify(&signed, now()).unwrap().message(), &vote(round));
            round += 1;
        }
    }
}

#[test]
fn a_message_of_one_key_is_none_of_another() {
    for algorithm in ALGORITHMS {
        let (alice, stranger) = (key(algorithm, "alice"), key(algorithm, "alice"));
        let verifier = Verifier::new(ring([&alice]), DOMAIN).unwrap();
        let strangers = Verifier::new(ring([&stranger]), DOMAIN).unwrap();
        let signer = Signer::new(stranger, DOMAIN).unwrap();
        for round in 0..many() {
            let signed = signer.sign(&vote(round), now()).unwrap();
            assert_eq!(
                verifier.verify(&signed, now()),
                Err(VerifyError::BadSignature { key: signed.claimed_signer() }),
                "{algorithm}: {round}"
            );
            assert_eq!(strangers.verify(&signed, now()).unwrap().message(), &vote(round));
        }
    }
}

#[test]
fn a_key_id_that_is_swapped_is_refused() {
    for algorithm in ALGORITHMS {
        let (alice, bob) = (key(algorithm, "alice"), key(algorithm, "bobby"));
        let verifier = Verifier::new(ring([&alice, &bob]), DOMAIN).unwrap();
        let signer = Signer::new(alice, DOMAIN).unwrap();
        for round in 0..many() {
            let signed = signer.sign(&vote(round), now()).unwrap();
            let mut bytes = signed.as_bytes().to_vec();
            bytes[3..8].copy_from_slice(b"bobby");
            let swapped = Signed::<Vote>::from_bytes(&bytes).unwrap();
            assert_eq!(swapped.claimed_signer(), bob.id());
            assert_eq!(verifier.verify(&swapped, now()), Err(VerifyError::BadSignature { key: bob.id() }), "{round}");
            bytes[3..8].copy_from_slice(b"carol");
            let unknown = Signed::<Vote>::from_bytes(&bytes).unwrap();
            let error = verifier.verify(&unknown, now()).unwrap_err();
            assert_eq!(error, VerifyError::UnknownKey { key: unknown.claimed_signer() });
            assert_eq!(verifier.verify(&signed, now()).unwrap().signer(), signer.key());
        }
    }
}

#[test]
fn two_ids_of_one_secret_are_two_signers() {
    for algorithm in ALGORITHMS {
        let (alice, bob) = (
            SigningKey::from_bytes(algorithm, "alice", &[7; 32]).unwrap(),
            SigningKey::from_bytes(algorithm, "bobby", &[7; 32]).unwrap(),
        );
        let verifier = Verifier::new(ring([&alice, &bob]), DOMAIN).unwrap();
        let signed = Signer::new(alice, DOMAIN).unwrap().sign(&vote(1), now()).unwrap();
        let mut bytes = signed.as_bytes().to_vec();
        bytes[3..8].copy_from_slice(b"bobby");
        let swapped = Signed::<Vote>::from_bytes(&bytes).unwrap();
        assert_eq!(verifier.verify(&swapped, now()), Err(VerifyError::BadSignature { key: bob.id() }));
    }
}

#[test]
fn a_replay_is_refused_as_often_as_it_comes() {
    for algorithm in ALGORITHMS {
        let (signer, verifier) = pair(algorithm);
        let mut old = Vec::new();
        for round in 0..many() {
            let signed = signer.sign(&vote(round), now()).unwrap();
            let first = verifier.verify(&signed, now()).unwrap();
            let replayed = VerifyError::Replayed { key: signer.key(), message: first.id() };
            assert_eq!(verifier.verify(&signed, now()), Err(replayed), "{algorithm}: {round}");
            if old.len() < 200 {
                old.push(signed);
            }
        }
        for signed in &old {
            let error = verifier.verify(signed, now()).unwrap_err();
            assert!(matches!(error, VerifyError::Replayed { .. } | VerifyError::Forgotten { .. }), "{error}");
            let error = verifier.verify(signed, at(61)).unwrap_err();
            assert!(matches!(error, VerifyError::TooOld { .. }), "{error}");
            // The clock goes back: what is forgotten stays out.
            assert!(verifier.verify(signed, now()).is_err());
        }
    }
}

#[test]
fn of_several_who_verify_at_once_one_has_the_message() {
    let (signer, verifier) = pair(Algorithm::HmacSha256);
    let count = 500;
    let messages: Vec<_> = (0..count).map(|round| signer.sign(&vote(round), now()).unwrap()).collect();
    let accepted = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for signed in &messages {
                    accepted.fetch_add(verifier.verify(signed, now()).is_ok().into(), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(accepted.into_inner(), count);
}

#[test]
fn signers_of_one_key_do_not_disturb_each_other() {
    let key = key(Algorithm::HmacSha256, "alice");
    let verifier = Verifier::new(ring([&key]), DOMAIN).unwrap();
    let signers = [Signer::new(key.clone(), DOMAIN).unwrap(), Signer::new(key, DOMAIN).unwrap()];
    for round in 0..100 {
        for signer in &signers {
            assert_eq!(
                verifier.verify(&signer.sign(&vote(round), now()).unwrap(), now()).unwrap().message(),
                &vote(round)
            );
        }
    }
}

#[test]
fn a_message_is_accepted_within_the_window_and_not_beyond() {
    let (signer, verifier) = pair(Algorithm::HmacSha256);
    let verifier = verifier.window(Duration::from_secs(10)).clocks_differ_by(Duration::from_secs(2));
    let verify_at = |seconds| verifier.verify(&signer.sign(&vote(1), at(100)).unwrap(), at(seconds)).map(drop);
    for seconds in [98, 100, 110] {
        assert_eq!(verify_at(seconds), Ok(()), "{seconds}");
    }
    let error = verify_at(97).unwrap_err();
    assert!(matches!(error, VerifyError::FromTheFuture { ahead, .. } if ahead.as_secs() == 3), "{error}");
    let error = verify_at(111).unwrap_err();
    assert!(matches!(error, VerifyError::TooOld { age, .. } if age.as_secs() == 11), "{error}");

    // No time that a message says makes a sum overflow.
    let (signer, verifier) = pair(Algorithm::HmacSha256);
    for time in [SystemTime::UNIX_EPOCH - Duration::from_secs(1), at(0), at(u64::MAX / 4_000)] {
        for now in [SystemTime::UNIX_EPOCH, at(0), at(u64::MAX / 4_000)] {
            let _ = verifier.verify(&signer.sign(&vote(1), time).unwrap(), now);
        }
    }
}

#[test]
fn what_was_signed_before_the_start_can_be_refused() {
    let (signer, verifier) = pair(Algorithm::HmacSha256);
    let verifier = verifier.not_before(at(10));
    for seconds in [9, 14] {
        let error = verifier.verify(&signer.sign(&vote(1), at(seconds)).unwrap(), at(15)).unwrap_err();
        assert!(matches!(error, VerifyError::TooOld { .. }), "{error}");
    }
    assert!(verifier.verify(&signer.sign(&vote(1), at(15)).unwrap(), at(15)).is_ok());
}

#[test]
fn a_signer_whose_clock_is_ahead_has_nothing_verified_again_after_a_start() {
    let key = key(Algorithm::HmacSha256, "alice");
    let signer = Signer::new(key.clone(), DOMAIN).unwrap();
    let before = Verifier::new(ring([&key]), DOMAIN).unwrap();
    // As far ahead as it may be.
    let signed = signer.sign(&vote(1), at(105)).unwrap();
    before.verify(&signed, at(100)).unwrap();
    let after = Verifier::new(ring([&key]), DOMAIN).unwrap().not_before(at(102));
    for seconds in [102, 103, 110] {
        let error = after.verify(&signed, at(seconds)).unwrap_err();
        assert!(matches!(error, VerifyError::TooOld { .. }), "{error}");
    }
}

#[test]
fn however_many_messages_come_the_memory_is_bounded_and_no_replay_passes() {
    let count = 20_000;
    let capacity = 1_000;
    let (signer, verifier) = pair(Algorithm::HmacSha256);
    let verifier = verifier.remember(capacity);
    let messages: Vec<_> =
        (0..count).map(|round| signer.sign(&round, now() + Duration::from_millis(round / 100)).unwrap()).collect();
    let used = measure(|| {
        for signed in &messages {
            verifier.verify(signed, now()).unwrap();
        }
    });
    let bound = 64 * i64::try_from(capacity).unwrap() + 1_024;
    assert!(used.bytes_current < bound, "{} bytes stay", used.bytes_current);
    for (number, signed) in (0_u64..).zip(&messages) {
        let error = verifier.verify(signed, now()).unwrap_err();
        let is_remembered = number >= count - capacity as u64;
        let says_why = match error {
            VerifyError::Replayed { .. } => is_remembered,
            VerifyError::Forgotten { .. } => !is_remembered,
            _ => false,
        };
        assert!(says_why, "{number}: {error}");
    }
}

#[test]
fn what_is_refused_because_more_came_than_is_remembered_says_so() {
    let (signer, verifier) = pair(Algorithm::HmacSha256);
    let verifier = verifier.remember(10);
    let in_ms = |milliseconds| now() + Duration::from_millis(milliseconds);
    let late = signer.sign(&vote(0), in_ms(5)).unwrap();
    for round in 0..20 {
        verifier.verify(&signer.sign(&vote(round), in_ms(round)).unwrap(), in_ms(20)).unwrap();
    }
    let error = verifier.verify(&late, in_ms(20)).unwrap_err();
    assert!(matches!(error, VerifyError::Forgotten { key, .. } if key == signer.key()), "{error}");
    assert!(error.to_string().contains("`Verifier::remember`"), "{error}");
    // The window and the clocks are still another matter.
    let error = verifier.verify(&late, now() + Duration::from_secs(61)).unwrap_err();
    assert!(matches!(error, VerifyError::TooOld { .. }), "{error}");
}

#[test]
fn a_key_that_floods_forgets_nothing_of_others() {
    let (alice, mallory) = (key(Algorithm::HmacSha256, "alice"), key(Algorithm::HmacSha256, "mallory"));
    let verifier = Verifier::new(ring([&alice, &mallory]), DOMAIN).unwrap().remember(100);
    let (alice, mallory) = (Signer::new(alice, DOMAIN).unwrap(), Signer::new(mallory, DOMAIN).unwrap());
    let late = alice.sign(&vote(0), now()).unwrap();
    let first = alice.sign(&vote(1), now()).unwrap();
    verifier.verify(&first, now()).unwrap();
    for round in 0..1_000 {
        verifier.verify(&mallory.sign(&vote(round), at(5)).unwrap(), now()).unwrap();
    }
    let error = verifier.verify(&first, now()).unwrap_err();
    assert!(matches!(error, VerifyError::Replayed { .. }), "{error}");
    assert!(verifier.verify(&late, now()).is_ok(), "a late message of a quiet key is accepted");
}

#[test]
fn forged_messages_leave_nothing_in_the_memory() {
    let alice = key(Algorithm::HmacSha256, "alice");
    let verifier = Verifier::new(ring([&alice]), DOMAIN).unwrap().remember(10);
    let forger = Signer::new(key(Algorithm::HmacSha256, "alice"), DOMAIN).unwrap();
    let signed = Signer::new(alice, DOMAIN).unwrap().sign(&vote(1), now()).unwrap();
    verifier.verify(&signed, now()).unwrap();
    let forged: Vec<_> = (0..100).map(|round| forger.sign(&vote(round), at(5)).unwrap()).collect();
    let used = measure(|| forged.iter().for_each(|signed| assert!(verifier.verify(signed, now()).is_err())));
    assert_eq!(used.count_total, 0, "a message that is refused for its signature costs no allocation");
    let error = verifier.verify(&signed, now()).unwrap_err();
    assert!(matches!(error, VerifyError::Replayed { .. }), "{error}");
}

#[test]
fn a_message_of_one_domain_is_none_of_another() {
    for algorithm in ALGORITHMS {
        let key = key(algorithm, "alice");
        let verifier = |domain| Verifier::new(ring([&key]), domain).unwrap();
        let signer = Signer::new(key.clone(), "accept").unwrap();
        let signed = signer.sign(&vote(1), now()).unwrap();
        for domain in ["accep", "accept\0", "prepare"] {
            let error = verifier(domain).verify(&signed, now()).unwrap_err();
            assert_eq!(error, VerifyError::BadSignature { key: key.id() }, "{domain:?}");
        }
        assert!(verifier("accept").verify(&signed, now()).is_ok());
    }
}

#[test]
fn a_message_of_one_type_is_none_of_another_of_the_same_shape() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Prepare {
        ballot: u64,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Commit {
        ballot: u64,
    }
    for algorithm in ALGORITHMS {
        let key = key(algorithm, "alice");
        let signer = Signer::new(key.clone(), "paxos/prepare").unwrap();
        let signed = signer.sign(&Prepare { ballot: 7 }, now()).unwrap();
        let as_commit = Signed::<Commit>::from_bytes(signed.as_bytes()).unwrap();
        let commits = Verifier::new(ring([&key]), "paxos/commit").unwrap();
        assert_eq!(commits.verify(&as_commit, now()), Err(VerifyError::BadSignature { key: key.id() }));
        let prepares = Verifier::new(ring([&key]), "paxos/prepare").unwrap();
        assert_eq!(prepares.verify(&signed, now()).unwrap().into_message(), Prepare { ballot: 7 });
    }
}

#[test]
fn nothing_is_signed_or_verified_without_saying_what_for() {
    let key = key(Algorithm::Ed25519, "alice");
    assert_eq!(Verifier::new(ring([&key]), "").map(drop), Err(KeyError::NoDomain));
    assert_eq!(Signer::new(key, "").map(drop), Err(KeyError::NoDomain));
}

#[test]
fn with_a_domain_for_each_direction_no_message_comes_back_to_who_signed_it() {
    let shared = key(Algorithm::HmacSha256, "both");
    let signer = Signer::new(shared.clone(), "test/to-server").unwrap();
    let signed = signer.sign(&vote(1), now()).unwrap();
    let own = Verifier::new(ring([&shared]), "test/to-client").unwrap();
    assert_eq!(own.verify(&signed, now()), Err(VerifyError::BadSignature { key: shared.id() }));
    let of_the_server = Verifier::new(ring([&shared]), "test/to-server").unwrap();
    assert!(of_the_server.verify(&signed, now()).is_ok());
}

#[test]
fn what_is_remembered_of_keys_that_were_removed_is_little_and_lets_no_replay_through() {
    const EACH: u64 = 100;
    let verifier = Verifier::new(KeyRing::new(), DOMAIN).unwrap();
    let mut first = None;
    let used = measure(|| {
        for rotation in 0..1_000 {
            let key = SigningKey::from_bytes(Algorithm::HmacSha256, format!("key-{rotation}"), &[7; 32]).unwrap();
            let signer = Signer::new(key.clone(), DOMAIN).unwrap();
            verifier.update_keys(|ring| ring.insert(key.verifying_key())).unwrap();
            for round in 0..EACH {
                let signed = signer.sign(&round, now()).unwrap();
                verifier.verify(&signed, now()).unwrap();
                if first.is_none() {
                    first = Some((key.verifying_key(), signed));
                }
            }
            verifier.update_keys(|ring| ring.remove(key.id())).unwrap();
        }
    });
    assert!(used.bytes_current < 1_000 * 400, "{} bytes stay", used.bytes_current);
    let (key, signed) = first.unwrap();
    verifier.update_keys(|ring| ring.insert(key)).unwrap();
    let error = verifier.verify(&signed, now()).unwrap_err();
    assert!(matches!(error, VerifyError::Forgotten { .. }), "{error}");
}

#[test]
fn a_key_is_for_one_algorithm() {
    let keys = ALGORITHMS.map(|algorithm| key(algorithm, "alice"));
    for (signing, trusted) in [(&keys[0], &keys[1]), (&keys[1], &keys[0])] {
        let verifier = Verifier::new(ring([trusted]), DOMAIN).unwrap();
        let signed = Signer::new(signing.clone(), DOMAIN).unwrap().sign(&vote(1), now()).unwrap();
        let (expected, used) = (trusted.algorithm(), signing.algorithm());
        let wrong = VerifyError::WrongAlgorithm { key: trusted.id(), expected, used };
        assert_eq!(verifier.verify(&signed, now()), Err(wrong));
    }
    // What everybody knows of a key of Ed25519 is no secret to make a HMAC with.
    let [public, _] = &keys;
    let bytes = public.verifying_key().to_bytes().unwrap();
    let forged = SigningKey::from_bytes(Algorithm::HmacSha256, "alice", &bytes).unwrap();
    let signed = Signer::new(forged, DOMAIN).unwrap().sign(&vote(1), now()).unwrap();
    assert!(Verifier::new(ring([public]), DOMAIN).unwrap().verify(&signed, now()).is_err());
}

#[test]
fn keys_are_replaced_while_messages_come() {
    for algorithm in ALGORITHMS {
        let (old, new) = (key(algorithm, "2026"), key(algorithm, "2027"));
        let verifier = Verifier::new(ring([&old]), DOMAIN).unwrap();
        let (by_old, by_new) = (Signer::new(old.clone(), DOMAIN).unwrap(), Signer::new(new.clone(), DOMAIN).unwrap());
        let verify =
            |signer: &Signer, seconds| verifier.verify(&signer.sign(&vote(1), at(seconds)).unwrap(), at(10)).map(drop);
        assert_eq!(verify(&by_new, 1), Err(VerifyError::UnknownKey { key: new.id() }));

        verifier.update_keys(|ring| ring.insert(new.verifying_key())).unwrap();
        assert_eq!((verify(&by_old, 2), verify(&by_new, 2)), (Ok(()), Ok(())));
        assert!(verifier.update_keys(|ring| ring.retire(old.id(), at(3))));
        assert_eq!(verify(&by_old, 3), Ok(()), "what it signed before comes still");
        assert_eq!(verify(&by_old, 4), Err(VerifyError::Retired { key: old.id() }));
        assert!(verifier.update_keys(|ring| ring.remove(old.id())).is_some());
        assert_eq!(verify(&by_old, 3), Err(VerifyError::UnknownKey { key: old.id() }));
        assert_eq!(verify(&by_new, 4), Ok(()));
    }
}

#[test]
fn a_key_that_comes_back_brings_no_replay() {
    let alice = key(Algorithm::Ed25519, "alice");
    let verifier = Verifier::new(ring([&alice]), DOMAIN).unwrap();
    let signed = Signer::new(alice.clone(), DOMAIN).unwrap().sign(&vote(1), now()).unwrap();
    verifier.verify(&signed, now()).unwrap();
    verifier.update_keys(|ring| ring.remove(alice.id())).unwrap();
    verifier.update_keys(|ring| ring.insert(alice.verifying_key())).unwrap();
    let error = verifier.verify(&signed, now()).unwrap_err();
    assert!(matches!(error, VerifyError::Forgotten { .. }), "{error}");
}

#[test]
fn an_id_does_not_change_its_key_by_accident() {
    let mut ring = ring([&key(Algorithm::Ed25519, "alice")]);
    let before = ring.get(KeyId::new("alice").unwrap()).unwrap().to_bytes();
    let other = key(Algorithm::Ed25519, "alice").verifying_key();
    assert_eq!(ring.insert(other.clone()), Err(KeyError::IdTaken { key: other.id() }));
    assert_eq!(ring.get(other.id()).unwrap().to_bytes(), before);
    assert_eq!(ring.ids().collect::<Vec<_>>(), [other.id()]);
    let unknown = KeyId::new("bob").unwrap();
    assert!(!ring.retire(unknown, now()) && ring.remove(unknown).is_none());
}

#[test]
fn a_right_signature_over_something_else_is_no_message() {
    for algorithm in ALGORITHMS {
        let (signer, verifier) = pair(algorithm);
        let signed = signer.sign(&"no vote", now()).unwrap();
        let as_vote = Signed::<Vote>::from_bytes(signed.as_bytes()).unwrap();
        let error = verifier.verify(&as_vote, now()).unwrap_err();
        assert!(matches!(error, VerifyError::Unreadable { .. }), "{error}");
    }
}

#[test]
fn a_message_that_is_too_large_is_not_signed() {
    let (signer, _) = pair(Algorithm::Ed25519);
    let error = signer.sign(&"x".repeat(9 << 20), now()).unwrap_err();
    assert_eq!(error, SignError::TooLarge { limit: 8 << 20 });
    let error = signer.sign(&HashMap::from([(Unwritable, 1)]), now()).unwrap_err();
    assert!(matches!(&error, SignError::Unwritable { reason } if reason.contains("not today")), "{error}");
}

#[derive(PartialEq, Eq, Hash)]
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not today"))
    }
}

/// Good enough, and the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }
}

#[test]
fn hostile_bytes_neither_panic_nor_make_room() {
    let (signer, verifier) = pair(Algorithm::HmacSha256);
    let whole = signer.sign(&vote(1), now()).unwrap().as_bytes().to_vec();
    let mut random = Random(7);
    for case in 0..cases(20_000, 1_000_000) {
        let mut bytes = match case % 4 {
            0 => (0..random.below(200)).map(|_| random.next().to_le_bytes()[0]).collect(),
            1 => whole[..random.below(whole.len())].to_vec(),
            2 => [&whole[..], &vec![0; 1 + random.below(50)]].concat(),
            _ => whole.clone(),
        };
        for _ in 0..random.below(4) {
            let (end, byte) = (bytes.len().max(1), random.next().to_le_bytes()[0]);
            if let Some(place) = bytes.get_mut(random.below(end)) {
                *place = byte;
            }
        }
        if bytes == whole {
            continue;
        }
        let mut packed = vec![0xc6];
        packed.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
        packed.extend(&bytes);
        let used = measure(|| {
            let Ok(signed) = Signed::<Vote>::from_bytes(&bytes) else { return };
            assert!(verifier.verify(&signed, now()).is_err(), "{bytes:?}");
        });
        assert!(used.bytes_max <= bytes.len() as u64, "{} for {bytes:?}", used.bytes_max);
        let used = measure(|| drop(rmp_serde::from_slice::<Signed<Vote>>(&packed)));
        assert!(used.bytes_max <= 1_024 + bytes.len() as u64, "{} for {bytes:?}", used.bytes_max);
    }
    let huge = vec![1; 9 << 20];
    let used = measure(|| assert!(matches!(Signed::<Vote>::from_bytes(&huge), Err(MalformedError::TooLarge { .. }))));
    assert_eq!(used.count_total, 0);
}

#[test]
fn what_the_bytes_are_not_is_said() {
    let (signer, _) = pair(Algorithm::Ed25519);
    let whole = signer.sign(&vote(1), now()).unwrap().as_bytes().to_vec();
    let with = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        Signed::<Vote>::from_bytes(&bytes).unwrap_err()
    };
    assert_eq!(with(0, 2), MalformedError::Version { found: 2 });
    assert_eq!(with(1, 3), MalformedError::Algorithm { found: 3 });
    assert_eq!(with(1, 2), MalformedError::Length, "a signature of HMAC is shorter");
    assert_eq!(with(2, 0), MalformedError::KeyId);
    assert_eq!(with(2, 200), MalformedError::Length);
    assert_eq!(with(3, b' '), MalformedError::KeyId);
    for end in 0..whole.len() {
        assert_eq!(Signed::<Vote>::from_bytes(&whole[..end]), Err(MalformedError::Length), "{end}");
    }
    assert_eq!(Signed::<Vote>::from_bytes(&[&whole[..], &[0]].concat()), Err(MalformedError::Length));
}

#[cfg(unix)]
fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn keys_come_back_from_their_files() {
    for algorithm in ALGORITHMS {
        let folder = tempfile::tempdir().unwrap();
        let (secret, public) = (folder.path().join("secret"), folder.path().join("public"));
        let key = key(algorithm, "alice");
        key.create_file(&secret).unwrap();
        key.verifying_key().create_file(&public).unwrap();
        #[cfg(unix)]
        {
            assert_eq!(mode(&secret), 0o600);
            assert_eq!(mode(&public) & 0o700, 0o600);
            assert!(
                algorithm == Algorithm::Ed25519 || mode(&public) == 0o600,
                "the key of HMAC is a secret on both sides"
            );
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "nothing else is left");

        let mut ring = KeyRing::new();
        ring.insert(VerifyingKey::from_file(&public).unwrap()).unwrap();
        let signer = Signer::new(SigningKey::from_file(&secret).unwrap(), DOMAIN).unwrap();
        let verifier = Verifier::new(ring, DOMAIN).unwrap();
        assert_eq!(verifier.verify(&signer.sign(&vote(1), now()).unwrap(), now()).unwrap().message(), &vote(1));

        let (as_signing, as_verifying) = (SigningKey::from_file(&public), VerifyingKey::from_file(&secret));
        if algorithm == Algorithm::HmacSha256 {
            assert!(matches!(as_signing, Err(KeyFileError::Broken { .. })), "{as_signing:?}");
        }
        assert!(matches!(as_verifying, Err(KeyFileError::Broken { .. })), "{as_verifying:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_use_is_refused() {
    for algorithm in ALGORITHMS {
        let folder = tempfile::tempdir().unwrap();
        let (secret, public) = (folder.path().join("secret"), folder.path().join("public"));
        let key = key(algorithm, "alice");
        key.create_file(&secret).unwrap();
        key.verifying_key().create_file(&public).unwrap();
        for bit in (0..6).map(|bit| 1 << bit) {
            set_mode(&secret, 0o600 | bit);
            set_mode(&public, 0o600 | bit);
            let error = SigningKey::from_file(&secret).unwrap_err();
            assert!(matches!(error, KeyFileError::Exposed { mode, .. } if mode == 0o600 | bit), "{error}");
            let public = VerifyingKey::from_file(&public);
            match algorithm {
                Algorithm::HmacSha256 => assert!(matches!(public, Err(KeyFileError::Exposed { .. })), "{public:?}"),
                _ => assert!(public.is_ok(), "{public:?}"),
            }
        }
        set_mode(&secret, 0o400);
        assert!(SigningKey::from_file(&secret).is_ok());
    }
}

#[test]
fn a_key_file_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let key = key(Algorithm::Ed25519, "alice");
    key.create_file(&path).unwrap();
    let before = std::fs::read(&path).unwrap();
    let other = SigningKey::generate(Algorithm::Ed25519, "bob").unwrap();
    let error = other.create_file(&path).unwrap_err();
    assert!(matches!(error, KeyFileError::Exists { .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left");
    let error = other.create_file(folder.path().join("none/key")).unwrap_err();
    assert!(matches!(error, KeyFileError::Write { .. }), "{error}");
    let error = SigningKey::from_file(folder.path().join("none")).unwrap_err();
    assert!(matches!(error, KeyFileError::Read { .. }), "{error}");
}

#[test]
fn a_broken_key_file_is_refused_and_nothing_of_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let key = SigningKey::from_bytes(Algorithm::Ed25519, "alice", &[0xa5; 32]).unwrap();
    key.create_file(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("dms signing key 1\nid alice\nalgorithm ed25519\nkey {}\n", "a5".repeat(32)));
    let broken = [
        String::new(),
        text[..text.len() - 2].to_owned(),
        text.replace("key 1", "key 2"),
        text.replace("id alice", "id "),
        text.replace("id alice", "name alice"),
        text.replace("ed25519", "rsa"),
        text.replacen("a5", "+5", 1),
        text.replacen("a5", "é", 1),
        format!("{text}key {}\n", "a5".repeat(32)),
        format!("{text}{}", "a".repeat(10_000)),
    ];
    for text in broken {
        std::fs::write(&path, &text).unwrap();
        let error = SigningKey::from_file(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::Broken { .. } | KeyFileError::Key { .. }), "{text:?}: {error}");
        // The folder has a random name, which is shorter.
        assert!(!format!("{error} {error:?}").contains("a5a5a5a5"), "{error:?}");
    }
}

#[test]
fn what_is_printed_of_keys_and_messages_holds_no_secret() {
    for algorithm in ALGORITHMS {
        let key = SigningKey::from_bytes(algorithm, "alice", &[0xa5; 32]).unwrap();
        let verifier = Verifier::new(ring([&key]), DOMAIN).unwrap();
        let signer = Signer::new(key.clone(), DOMAIN).unwrap();
        let signed = signer.sign(&vote(1), now()).unwrap();
        for text in [format!("{key:?}"), format!("{signer:?}"), format!("{verifier:?}"), format!("{signed:?}")] {
            assert!(text.contains("alice"), "{text}");
            // Half of it on end: the random id of a message holds less by chance.
            let text = text.to_lowercase();
            for byte in ["165, ", "a5", "a5, ", "0xa5, "] {
                assert!(!text.contains(&byte.repeat(16)), "{text}");
            }
            assert!(!text.contains("value 1"), "{text}");
        }
    }
}
