use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[start(deadline = "2s")]
    fn start(&self) {}
}

fn main() {}
