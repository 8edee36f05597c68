//! A verified message is not its message, which may have an `id` of its own: `message()` gives that.

use dms::session::Verified;

struct Vote {
    id: u64,
}

fn id_of(vote: &Verified<Vote>) -> u64 {
    vote.id
}

fn read(vote: &Verified<Vote>) -> &Vote {
    vote
}

fn both(vote: &Verified<Vote>) -> (u64, String) {
    (vote.message().id, vote.id().to_string())
}

fn main() {}
