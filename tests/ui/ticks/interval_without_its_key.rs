use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[tick("30s")]
    fn report(&self) {}
}

fn main() {}
