use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[tick(every = "30s", jitter = "1s")]
    fn report(&self) {}
}

fn main() {}
