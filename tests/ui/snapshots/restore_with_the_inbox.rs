use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[restore]
    fn restore(&mut self, count: u64, _from: Version, inbox: &mut Inbox<Self>) {
        let _ = inbox;
        self.count = count;
    }
}

fn main() {}
