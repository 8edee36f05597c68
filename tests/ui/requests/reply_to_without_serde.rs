use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

pub struct Count(u64);

#[module(remote)]
impl Counter {
    #[handler(Get)]
    fn get(&self, reply: ReplyTo<Count>) {
        reply.send(Count(self.count));
    }
}

fn main() {}
