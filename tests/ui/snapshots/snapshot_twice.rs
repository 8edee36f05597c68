use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[snapshot]
    fn snapshot(&self) -> u64 {
        self.count
    }

    #[snapshot]
    fn state(&self) -> u64 {
        self.count
    }

    #[restore]
    fn restore(&mut self, count: u64, _from: Version) {
        self.count = count;
    }

    #[restore]
    fn set_state(&mut self, count: u64, _from: Version) {
        self.count = count;
    }
}

fn main() {}
