use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module(remote)]
impl Counter {
    #[handler(Get, remote, local)]
    fn get(&self) -> u64 {
        self.count
    }
}

fn main() {}
