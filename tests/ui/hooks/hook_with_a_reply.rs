use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[stop]
    async fn stop(&mut self, reply: ReplyTo<u64>) {}
}

fn main() {}
