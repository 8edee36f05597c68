use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[init]
    async fn init(&mut self) -> u64 {
        self.count
    }
}

fn main() {}
