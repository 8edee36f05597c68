use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(derive(Clone))]
    fn set(&mut self, count: u64) {
        self.count = count;
    }
}

fn main() {}
