use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[restore]
    fn restore(&mut self, count: u64, from: Version, more: u64) {
        self.count = count + from.major + more;
    }
}

fn main() {}
