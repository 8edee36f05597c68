use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get, inline, deadline = "1s")]
    fn get(&self) -> u64 {
        self.count
    }
}

fn main() {}
