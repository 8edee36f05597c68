use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[snapshot(version = 2)]
    fn snapshot(&self) -> u64 {
        self.count
    }

    #[restore = "u64"]
    fn restore(&mut self, count: u64, _from: Version) {
        self.count = count;
    }
}

fn main() {}
