//! Only a verifier makes a `Verified`: it has no constructor, is not read from bytes, and does not change.

use dms::session::{KeyId, Verified};

struct Vote {
    yes: bool,
}

fn of_its_parts(vote: Vote, signer: KeyId) -> Verified<Vote> {
    Verified { message: vote, signer }
}

fn converted(vote: Vote) -> Verified<Vote> {
    vote.into()
}

fn from_bytes(bytes: &[u8]) -> Verified<bool> {
    serde_json::from_slice(bytes).unwrap()
}

fn changed(vote: &mut Verified<Vote>) {
    vote.message().yes = true;
}

fn main() {}
