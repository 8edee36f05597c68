use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[tick(every = "0s")]
    fn report(&self) {}
}

fn main() {}
