use dms::prelude::*;

#[module]
struct Counter {
    count: std::cell::Cell<u64>,
}

#[module]
impl Counter {
    #[handler(Get)]
    async fn get(&self) -> u64 {
        self.count.get()
    }
}

fn main() {}
