use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module(remote, remote)]
impl Counter {
    #[handler(Get, remote, remote)]
    fn get(&self) -> u64 {
        self.count
    }

    #[handler(Reset, local, local)]
    fn reset(&mut self) {
        self.count = 0;
    }
}

fn main() {}
