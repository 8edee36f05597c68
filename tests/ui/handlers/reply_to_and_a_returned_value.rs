use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get)]
    fn get(&self, reply: ReplyTo<u64>) -> u64 {
        self.count
    }
}

fn main() {}
