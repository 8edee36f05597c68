use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

struct Add(u64);

#[module]
impl Counter {
    #[handler]
    fn add(&mut self, add: Add) {
        self.count += add.0;
    }

    #[handler]
    fn add_twice(&mut self, add: Add) {
        self.count += 2 * add.0;
    }

    #[handler(Get)]
    fn get(&self) -> u64 {
        self.count
    }

    #[handler(Get)]
    fn get_again(&self) -> u64 {
        self.count
    }
}

fn main() {}
