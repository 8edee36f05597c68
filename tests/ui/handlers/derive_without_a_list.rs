use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get, derive = "Clone")]
    fn get(&self) -> u64 {
        self.count
    }

    #[handler(Reset, derive)]
    fn reset(&mut self) {
        self.count = 0;
    }
}

fn main() {}
