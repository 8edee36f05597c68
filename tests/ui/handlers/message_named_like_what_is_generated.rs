use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(CounterMessage)]
    fn get(&self) -> u64 {
        self.count
    }

    #[handler(Counter)]
    fn count(&self) -> u64 {
        self.count
    }
}

fn main() {}
