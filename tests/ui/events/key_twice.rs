use dms::event::Custom;
use dms::prelude::*;

#[module]
struct Cache {
    entries: Vec<u8>,
}

#[module]
impl Cache {
    #[event(custom = "flushed", buffer = 8, custom = "filled", buffer = 16)]
    fn on_flushed(&mut self, event: &Custom) {}
}

fn main() {}
