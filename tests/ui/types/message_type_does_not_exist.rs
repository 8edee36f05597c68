use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler]
    fn add(&mut self, add: Missing) {
        self.count += add.0;
    }
}

fn main() {}
