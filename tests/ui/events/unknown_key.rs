use dms::event::{MemoryPressure};
use dms::prelude::*;

#[module]
struct Cache {
    entries: Vec<u8>,
}

#[module]
impl Cache {
    #[event(name = "pressure")]
    fn on_pressure(&mut self, event: &MemoryPressure) {}

    #[event("pressure")]
    fn on_more(&mut self, event: &Event) {}
}

fn main() {}
