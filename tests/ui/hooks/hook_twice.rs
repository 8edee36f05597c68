use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[init]
    async fn open(&mut self) {}

    #[init]
    async fn connect(&mut self) {}
}

fn main() {}
