use dms::event::{MemoryPressure};
use dms::prelude::*;

#[module]
struct Cache {
    entries: Vec<u8>,
}

#[module]
impl Cache {
    #[event]
    fn on_pressure(&mut self, event: &MemoryPressure, reply: ReplyTo<u64>) {}
}

fn main() {}
