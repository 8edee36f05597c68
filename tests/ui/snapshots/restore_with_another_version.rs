use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[restore]
    fn restore(&mut self, count: u64, from: u32) {
        self.count = count + u64::from(from);
    }
}

fn main() {}
