use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Add)]
    fn add(&mut self, (a, b): (u64, u64), _: u64) {
        self.count += a + b;
    }
}

fn main() {}
