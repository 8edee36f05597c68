use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get)]
    fn get() -> u64 {
        0
    }

    #[handler]
    async fn add(n: u64) {}
}

fn main() {}
