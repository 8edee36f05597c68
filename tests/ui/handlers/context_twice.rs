use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get)]
    fn get(&self, ctx: &mut Context<Self>, again: &mut Context<Self>) -> u64 {
        self.count
    }
}

fn main() {}
