use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[snapshot]
    fn snapshot() -> u64 {
        0
    }
}

fn main() {}
