//! That a message turns into the enum of its module is written already.

use dms::prelude::*;

#[module]
struct Counter;

#[module]
impl Counter {
    #[handler(Add)]
    fn add(&mut self) {}
}

impl From<Add> for CounterMessage {
    fn from(add: Add) -> Self {
        Self::Add(add, ReplyTo::nobody())
    }
}

fn main() {}
