//! A network that carries the messages of a module sends these, and nothing else.

use dms::prelude::*;
use dms::session::{Memory, Transport};

#[module]
struct Counter;

#[module]
impl Counter {
    #[handler(Add)]
    fn add(&mut self) {}
}

struct Subtract;

fn session(_: impl Transport<Add>) {}

fn other_session(_: impl Transport<Subtract>) {}

fn parent(memory: Memory<CounterMessage>) {
    session(memory.clone());
    other_session(memory);
}

fn main() {}
