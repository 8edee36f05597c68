use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[snapshot]
    fn snapshot(&mut self) -> u64 {
        self.count
    }
}

fn main() {}
