use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Halt)]
    fn stop(&mut self) {
        self.count = 0;
    }
}

fn main() {}
