use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Take)]
    fn take(self) -> u64 {
        self.count
    }

    #[handler(Unbox)]
    fn unbox(self: Box<Self>) -> u64 {
        self.count
    }
}

fn main() {}
