use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Report)]
    #[tick(every = "1s")]
    fn report(&mut self) {
        self.count = 0;
    }
}

fn main() {}
