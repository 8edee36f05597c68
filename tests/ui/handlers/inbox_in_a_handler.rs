use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get)]
    async fn get(&self, inbox: &mut Inbox<Self>) -> u64 {
        self.count
    }
}

fn main() {}
