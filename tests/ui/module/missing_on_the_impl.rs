use dms::prelude::*;

#[module]
struct Counter;

impl Counter {
    #[handler(Get)]
    fn get(&self) -> u64 {
        0
    }

    #[tick(every = "1s")]
    fn report(&self) {}
}

fn main() {}
