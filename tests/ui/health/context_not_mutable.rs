use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health]
    fn health(&self, ctx: &Context<Self>) -> bool {
        true
    }
}

fn main() {}
