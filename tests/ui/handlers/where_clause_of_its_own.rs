use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get)]
    fn get(&self) -> u64
    where
        Self: Sized,
    {
        self.count
    }
}

fn main() {}
