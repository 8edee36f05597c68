use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module(remote("counter"))]
impl Counter {
    #[handler(Get, local = true)]
    fn get(&self) -> u64 {
        self.count
    }
}

fn main() {}
