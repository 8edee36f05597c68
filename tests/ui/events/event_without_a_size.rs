use dms::event::{MemoryPressure};
use dms::prelude::*;

#[module]
struct Cache {
    entries: Vec<u8>,
}

#[module]
impl Cache {
    #[event]
    fn on_line(&mut self, line: &str) {}

    #[event]
    fn on_pressure(&mut self, event: &MemoryPressure) {}
}

fn main() {}
