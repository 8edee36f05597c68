use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[run]
    fn run(&mut self, inbox: &mut Inbox<Self>) {}
}

fn main() {}
