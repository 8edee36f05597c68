use dms::prelude::*;

#[module]
struct Counter;

#[module]
#[module]
impl Counter {
    #[handler(Get)]
    fn get(&self) -> u64 {
        0
    }
}

fn main() {}
