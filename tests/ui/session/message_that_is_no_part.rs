//! A network sends what turns into the type that it carries.

use dms::session::{Memory, Transport};

#[derive(Debug, Clone)]
struct Ping;

#[derive(Debug, Clone)]
struct Stranger;

enum Message {
    Ping(Ping),
}

impl From<Ping> for Message {
    fn from(ping: Ping) -> Self {
        Self::Ping(ping)
    }
}

async fn session(transport: impl Transport<Ping, Addr = u32>) {
    transport.send_to(1, Ping).await.unwrap();
}

async fn other_session(transport: impl Transport<Stranger, Addr = u32>) {
    transport.send_to(1, Stranger).await.unwrap();
}

fn parent(memory: Memory<Message>) {
    drop(session(memory.clone()));
    drop(other_session(memory));
}

fn main() {}
