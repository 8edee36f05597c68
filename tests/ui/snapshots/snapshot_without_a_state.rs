use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[snapshot]
    fn snapshot(&self) {}
}

fn main() {}
