use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler]
    fn get(&self) -> u64 {
        self.count
    }

    #[handler]
    fn reset_all(&mut self, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

fn main() {}
