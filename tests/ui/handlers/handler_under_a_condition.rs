use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[cfg_attr(unix, handler(Get))]
    fn get(&self) -> u64 {
        self.count
    }
}

fn main() {}
