use std::cell::Cell;

use dms::prelude::*;

pub struct Flushed(Cell<u64>);

#[module]
struct Cache;

#[module]
impl Cache {
    #[event]
    fn on_flushed(&mut self, event: &Flushed) {
        event.0.set(1);
    }
}

fn main() {}
