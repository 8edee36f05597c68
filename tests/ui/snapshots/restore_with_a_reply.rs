use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[restore]
    fn restore(&mut self, count: u64, _from: Version, reply: ReplyTo<u64>) {
        self.count = count;
        reply.send(count);
    }
}

fn main() {}
