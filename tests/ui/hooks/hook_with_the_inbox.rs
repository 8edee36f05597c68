use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[start]
    async fn start(&mut self, inbox: &mut Inbox<Self>) {}
}

fn main() {}
