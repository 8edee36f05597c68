use dms::event::{MemoryPressure, Shutdown};
use dms::prelude::*;

#[module]
struct Cache {
    entries: Vec<u8>,
}

#[module]
impl Cache {
    #[event]
    fn on_event(&mut self, pressure: &MemoryPressure, shutdown: &Shutdown) {}
}

fn main() {}
