use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[restore]
    fn restore(&mut self, count: impl Into<u64>, _from: Version) {
        self.count = count.into();
    }
}

fn main() {}
