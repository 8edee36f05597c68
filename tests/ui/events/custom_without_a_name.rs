use dms::event::{Custom};
use dms::prelude::*;

#[module]
struct Cache {
    entries: Vec<u8>,
}

#[module]
impl Cache {
    #[event(custom = "")]
    fn on_custom(&mut self, event: &Custom) {}

    #[event(custom)]
    fn on_other(&mut self, event: &Custom) {}
}

fn main() {}
