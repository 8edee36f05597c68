use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[start]
    async fn start(&mut self, count: u64) {
        self.count = count;
    }
}

fn main() {}
