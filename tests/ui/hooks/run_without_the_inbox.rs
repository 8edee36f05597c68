use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[run]
    async fn run(&mut self, ctx: &mut Context<Self>) {}
}

fn main() {}
