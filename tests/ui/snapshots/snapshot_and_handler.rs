use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[snapshot]
    #[handler(Get)]
    fn get(&self) -> u64 {
        self.count
    }

    #[restore]
    #[restore]
    fn set(&mut self, count: u64, _from: Version) {
        self.count = count;
    }
}

fn main() {}
