use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health]
    fn health(&self, reply: ReplyTo<bool>) -> bool {
        true
    }
}

fn main() {}
