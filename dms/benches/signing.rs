//! Signing and verifying a message beside the libraries underneath: `cargo bench -p dms --features signing --bench signing`.
//!
//! All run by turns in one process; what is printed are medians of the time for one message, and their difference: what is added by writing and reading the message as MessagePack, the form on the wire,
//! and the memory of what has been here before.

use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

use dms::session::{Algorithm, KeyRing, Signed, Signer, SigningKey, Verifier};
use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

#[derive(Debug, Serialize, Deserialize)]
struct Vote {
    round: u64,
    value: String,
}

const SECRET: [u8; 32] = [7; 32];

/// The library alone, over as many bytes.
trait Library {
    fn sign(&self, text: &[u8]) -> Vec<u8>;
    fn verify(&self, text: &[u8], signature: &[u8]) -> bool;
}

struct Ed25519(ed25519_dalek::SigningKey, ed25519_dalek::VerifyingKey);

impl Library for Ed25519 {
    fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.0.sign(text).to_vec()
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        let signature = ed25519_dalek::Signature::from_slice(signature).expect("64 bytes");
        self.1.verify_strict(text, &signature).is_ok()
    }
}

struct HmacSha256(Hmac<Sha256>);

impl Library for HmacSha256 {
    fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.0.clone().chain_update(text).finalize().as_bytes().to_vec()
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        self.0.clone().chain_update(text).verify_slice(signature).is_ok()
    }
}

/// The median times of two works, which run by turns, for one of `count`.
fn medians<'a>(rounds: usize, count: u32, first: &'a mut dyn FnMut(), second: &'a mut dyn FnMut()) -> [Duration; 2] {
    let mut times = [Vec::new(), Vec::new()];
    let mut works = [first, second];
    for round in 0..rounds {
        for turn in 0..2 {
            let place = (round + turn) % 2;
            let begun = Instant::now();
            (0..count).for_each(|_| works[place]());
            times[place].push(begun.elapsed() / count);
        }
    }
    times.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    })
}

fn compare(algorithm: Algorithm, library: &dyn Library, value: usize, rounds: usize, count: u32) {
    let key = SigningKey::from_bytes(algorithm, "alice", &SECRET).expect("a key");
    let mut ring = KeyRing::new();
    ring.insert(key.verifying_key()).expect("an empty ring");
    let (signer, verifier) =
        (Signer::new(key, "bench/vote").expect("randomness"), Verifier::new(ring, "bench/vote").expect("a domain"));
    let vote = Vote { round: 7, value: "x".repeat(value) };
    let now = SystemTime::now();
    let text = rmp_serde::to_vec_named(&vote).expect("MessagePack");
    let signature = library.sign(&text);

    let [library_signs, ours_signs] =
        medians(rounds, count, &mut || drop(black_box(library.sign(black_box(&text)))), &mut || {
            drop(black_box(signer.sign(black_box(&vote), now)));
        });
    // Each is verified once: a second time it has been here before.
    let all = rounds * usize::try_from(count).expect("few");
    let mut messages: Vec<Signed<Vote>> = (0..all).map(|_| signer.sign(&vote, now).expect("it is signed")).collect();
    let [library_verifies, ours_verifies] =
        medians(rounds, count, &mut || assert!(library.verify(black_box(&text), black_box(&signature))), &mut || {
            let next = messages.pop().expect("one for each");
            black_box(verifier.verify(&next, now).expect("it is verified"));
        });
    for (what, library, ours) in [("sign", library_signs, ours_signs), ("verify", library_verifies, ours_verifies)] {
        let (more, size) = (ours.saturating_sub(library), text.len());
        println!(
            "{algorithm:<12} {what:<7} {size:>5} bytes   library {library:>10.2?}   dms {ours:>10.2?}   {more:>9.2?} more"
        );
    }
}

fn main() {
    // `cargo test` runs each once, to see that it works.
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let (rounds, count) = if is_measured { (301, 30) } else { (1, 1) };
    let signing = ed25519_dalek::SigningKey::from_bytes(&SECRET);
    let verifying = signing.verifying_key();
    let hmac = Hmac::new_from_slice(&SECRET).expect("a key");
    for value in [16, 1_024] {
        compare(Algorithm::Ed25519, &Ed25519(signing.clone(), verifying), value, rounds, count);
        compare(Algorithm::HmacSha256, &HmacSha256(hmac.clone()), value, rounds, count);
    }
}
