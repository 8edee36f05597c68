use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get, deadline = 2s)]
    fn get(&self) -> u64 {
        self.count
    }

    #[handler(Take, deadline)]
    fn take(&self) -> u64 {
        self.count
    }
}

fn main() {}
