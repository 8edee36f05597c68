use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[init]
    async fn init<T>(&mut self) {}
}

fn main() {}
