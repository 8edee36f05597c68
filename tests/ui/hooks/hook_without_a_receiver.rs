use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[init]
    async fn init(ctx: &mut Context<Self>) {}
}

fn main() {}
