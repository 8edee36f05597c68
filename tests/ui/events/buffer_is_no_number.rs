use dms::event::{MemoryPressure};
use dms::prelude::*;

#[module]
struct Cache {
    entries: Vec<u8>,
}

#[module]
impl Cache {
    #[event(buffer = "64")]
    fn on_pressure(&mut self, event: &MemoryPressure) {}

    #[event(buffer = 64u8)]
    fn on_event(&mut self, event: &Event) {}
}

fn main() {}
