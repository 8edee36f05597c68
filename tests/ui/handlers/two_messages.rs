use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler]
    fn scale(&mut self, by: u64, offset: u64) {
        self.count = self.count * by + offset;
    }
}

fn main() {}
