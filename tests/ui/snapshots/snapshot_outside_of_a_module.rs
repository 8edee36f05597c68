use dms::prelude::*;

struct Counter {
    count: u64,
}

impl Counter {
    #[snapshot]
    fn snapshot(&self) -> u64 {
        self.count
    }

    #[restore]
    fn restore(&mut self, count: u64, _from: Version) {
        self.count = count;
    }
}

fn main() {}
