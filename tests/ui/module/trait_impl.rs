use dms::prelude::*;

#[module]
struct Counter;

trait Count {
    fn count(&self) -> u64;
}

#[module]
impl Count for Counter {
    #[handler(Get)]
    fn count(&self) -> u64 {
        0
    }
}

fn main() {}
