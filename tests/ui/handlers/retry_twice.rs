use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}


#[module]
impl Counter {
    #[handler(Get, derive(Clone), retry = 1, retry = 2)]
    fn get(&self) -> u64 {
        self.count
    }
}

fn main() {}
