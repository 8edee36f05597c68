use dms::event::{MemoryPressure};
use dms::prelude::*;

#[module]
struct Cache {
    entries: Vec<u8>,
}

#[module]
impl Cache {
    #[event]
    async fn on_pressure(&mut self, event: &MemoryPressure) -> u64 {
        7
    }
}

fn main() {}
