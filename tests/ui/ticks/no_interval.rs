use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[tick]
    fn report(&self) {}

    #[tick()]
    fn again(&self) {}
}

fn main() {}
