//! Datagrams carry what turns into the type that they are of.

use dms::session::{Transport, Udp};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
enum Message {
    Ping(u64),
}

struct Stranger;

async fn session<T: Transport<Stranger>>(transport: T) {
    transport.send_to(transport.addr(), Stranger).await.unwrap();
}

fn parent(udp: Udp<Message>) {
    let _session = session(udp);
}

fn main() {}
