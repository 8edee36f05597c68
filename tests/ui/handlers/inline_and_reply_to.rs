use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get, inline)]
    fn get(&self, reply: ReplyTo<u64>) {
        reply.send(self.count);
    }
}

fn main() {}
