use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[tick(every = "often")]
    fn report(&self) {}

    #[tick(every = "1.5s")]
    fn again(&self) {}

    #[tick(every = "30")]
    fn more(&self) {}
}

fn main() {}
