use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[restore]
    fn restore(&mut self, count: u64, _from: Version) -> u64 {
        self.count = count;
        count
    }
}

fn main() {}
