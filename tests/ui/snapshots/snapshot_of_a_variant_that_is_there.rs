use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Save)]
    fn get_state(&self) -> u64 {
        self.count
    }

    #[snapshot]
    fn getState(&self) -> u64 {
        self.count
    }
}

fn main() {}
