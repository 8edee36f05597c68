use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get)]
    fn get(&self, ctx: Context<Self>) -> u64 {
        self.count
    }
}

fn main() {}
