use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[stop(timeout = "1s")]
    async fn stop(&mut self) {}
}

fn main() {}
