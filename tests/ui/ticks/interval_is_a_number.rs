use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[tick(every = 30)]
    fn report(&self) {}
}

fn main() {}
