use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get, deadline = "soon")]
    fn get(&self) -> u64 {
        self.count
    }
}

fn main() {}
