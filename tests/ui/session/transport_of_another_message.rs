//! A session that is given a network for one message cannot send another one there.

use dms::session::Transport;

struct Ping;
struct Vote;

fn vote(_: &impl Transport<Vote>) {}

fn ping<T: Transport<Ping>>(transport: &T) {
    vote(transport);
}

async fn sends_it<T: Transport<Ping>>(transport: &T, peer: T::Addr) {
    transport.send_to(peer, Vote).await.unwrap();
}

fn main() {}
