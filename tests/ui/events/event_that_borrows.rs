use dms::event::{MemoryPressure};
use dms::prelude::*;

#[module]
struct Cache {
    entries: Vec<u8>,
}

#[module]
impl Cache {
    #[event]
    fn on_line(&mut self, line: &std::borrow::Cow<'_, str>) {}

    #[event]
    fn on_pressure(&mut self, event: &Option<&MemoryPressure>) {}
}

fn main() {}
