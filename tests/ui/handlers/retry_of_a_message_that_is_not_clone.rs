use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

struct Add(u64);

#[module]
impl Counter {
    #[handler(Get, retry = 3)]
    fn get(&self) -> u64 {
        self.count
    }

    #[handler(boxed, retry = 3)]
    async fn add(&mut self, Add(by): Add) {
        self.count += by;
    }
}

fn main() {}
