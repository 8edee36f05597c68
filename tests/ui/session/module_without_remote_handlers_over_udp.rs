//! Datagrams carry the messages of remote handlers.

use dms::prelude::*;
use dms::session::{Transport, Udp};

#[module]
struct Counter;

#[module]
impl Counter {
    #[handler(Add)]
    fn add(&mut self) {}
}

fn session(_: impl Transport<Add>) {}

fn parent(udp: Udp<CounterMessage>) {
    session(udp);
}

fn main() {}
