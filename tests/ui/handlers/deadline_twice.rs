use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get, deadline = "1s", deadline = "2s")]
    fn get(&self) -> u64 {
        self.count
    }
}

fn main() {}
