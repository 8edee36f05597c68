use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get)]
    unsafe fn get(&self) -> u64 {
        self.count
    }

    #[handler(Zero)]
    const fn zero(&self) -> u64 {
        0
    }

    #[handler(Foreign)]
    extern "C" fn foreign(&self) -> u64 {
        0
    }
}

fn main() {}
