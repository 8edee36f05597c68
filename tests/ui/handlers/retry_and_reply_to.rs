use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}


#[module]
impl Counter {
    #[handler(Get, derive(Clone), retry = 3)]
    fn get(&self, reply: ReplyTo<u64>) {
        reply.send(self.count);
    }
}

fn main() {}
