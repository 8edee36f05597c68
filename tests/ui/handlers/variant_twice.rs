use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(First)]
    fn get_it(&self) -> u64 {
        self.count
    }

    #[tick(every = "1s")]
    #[allow(non_snake_case)]
    fn getIt(&self) {}
}

fn main() {}
