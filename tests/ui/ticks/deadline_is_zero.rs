use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[tick(every = "30s", deadline = "0ms")]
    fn report(&self) {}
}

fn main() {}
