use dms::prelude::*;

struct Counter;

#[module]
impl Counter {
    #[handler(Get)]
    fn get(&self) -> u64 {
        0
    }
}

fn main() {}
