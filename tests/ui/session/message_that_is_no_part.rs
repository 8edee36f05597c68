//! A network sends what turns into the type that it carries.

use dms::session::{Memory, Transport};

struct Ping;

struct Stranger;

enum Message {
    Ping(Ping),
}

impl From<Ping> for Message {
    fn from(ping: Ping) -> Self {
        Self::Ping(ping)
    }
}

fn session(_: impl Transport<Ping>) {}

fn other_session(_: impl Transport<Stranger>) {}

fn parent(memory: Memory<Message>) {
    session(memory.clone());
    other_session(memory);
}

fn main() {}
