use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[tick(deadline = "1s")]
    fn report(&self) {}
}

fn main() {}
