use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get)]
    fn get(&self, ctx: &Context<Self>) -> u64 {
        self.count
    }

    #[handler(Peek)]
    fn peek(&self, ctx: &mut Context) -> u64 {
        self.count
    }
}

fn main() {}
