use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[tick(every = "30s")]
    fn report(&self, reply: ReplyTo<()>) {}
}

fn main() {}
