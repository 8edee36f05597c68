use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get, timeout = "1s")]
    fn get(&self) -> u64 {
        self.count
    }

    #[handler(boxed = true)]
    fn set(&mut self, count: u64) {
        self.count = count;
    }
}

fn main() {}
