use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[snapshot]
    fn snapshot(&self, ctx: &mut Context<Self>, deep: bool) -> u64 {
        let _ = (ctx, deep);
        self.count
    }
}

fn main() {}
