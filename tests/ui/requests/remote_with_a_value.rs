use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module(remote = true)]
impl Counter {
    #[handler(Get, remote = "fetch")]
    fn get(&self) -> u64 {
        self.count
    }
}

fn main() {}
