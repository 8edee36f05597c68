use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler("Get")]
    fn get(&self) -> u64 {
        self.count
    }

    #[handler = "Set"]
    fn set(&mut self, count: u64) {
        self.count = count;
    }
}

fn main() {}
