use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[restore]
    fn restore(&mut self, from: Version, count: u64) {
        self.count = count + from.major;
    }
}

fn main() {}
