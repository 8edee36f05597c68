use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

struct Add(u64);
type Plus = Add;

#[module]
impl Counter {
    #[handler]
    fn add(&mut self, add: Add) {
        self.count += add.0;
    }

    #[handler]
    fn plus(&mut self, add: Plus) {
        self.count += add.0;
    }
}

fn main() {}
