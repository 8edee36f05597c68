use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

struct Get;

#[module]
impl Counter {
    #[handler(Get)]
    fn get(&self) -> u64 {
        self.count
    }
}

fn main() {}
