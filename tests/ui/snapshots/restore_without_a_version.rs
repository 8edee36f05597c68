use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[restore]
    fn restore(&mut self, count: u64, ctx: &mut Context<Self>) {
        let _ = ctx;
        self.count = count;
    }
}

fn main() {}
