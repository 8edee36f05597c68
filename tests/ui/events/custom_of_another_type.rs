use dms::event::{MemoryPressure};
use dms::prelude::*;

#[module]
struct Cache {
    entries: Vec<u8>,
}

#[module]
impl Cache {
    #[event(custom = "pressure")]
    fn on_pressure(&mut self, event: &MemoryPressure) {}
}

fn main() {}
