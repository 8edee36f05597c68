use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

pub struct Amount(u64);

#[module]
impl Counter {
    #[handler(Add, remote)]
    fn add(&mut self, by: Amount, times: u64) -> u64 {
        self.count += by.0 * times;
        self.count
    }
}

fn main() {}
