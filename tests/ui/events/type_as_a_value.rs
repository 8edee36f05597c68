use dms::event::{MemoryPressure};
use dms::prelude::*;

#[module]
struct Cache {
    entries: Vec<u8>,
}

#[module]
impl Cache {
    #[event = "MemoryPressure"]
    fn on_pressure(&mut self, event: &MemoryPressure) {}
}

fn main() {}
