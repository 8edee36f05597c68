//! What a signed message holds cannot be reached before somebody has verified it.

use dms::session::{Signed, Verified};

struct Vote {
    yes: bool,
}

fn read(vote: Signed<Vote>) -> bool {
    vote.yes
}

fn follow(vote: &Signed<Vote>) -> &Vote {
    vote
}

fn take(vote: Signed<Vote>) -> Vote {
    vote.into_message()
}

fn bytes(vote: &Signed<Vote>) -> &[u8] {
    vote.payload()
}

fn count(vote: Verified<Vote>) -> bool {
    vote.message().yes
}

fn believe(vote: Signed<Vote>) -> bool {
    count(vote)
}

fn main() {}
