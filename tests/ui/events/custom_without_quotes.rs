use dms::event::Custom;
use dms::prelude::*;

#[module]
struct Cache {
    entries: Vec<u8>,
}

#[module]
impl Cache {
    #[event(custom = flushed)]
    fn on_flushed(&mut self, event: &Custom) {}

    #[event(custom("filled"))]
    fn on_filled(&mut self, event: &Custom) {}
}

fn main() {}
