use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Forever)]
    fn forever(&self) -> ! {
        loop {}
    }
}

fn main() {}
