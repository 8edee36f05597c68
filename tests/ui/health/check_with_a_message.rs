use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health]
    fn health(&self, least: u64) -> bool {
        self.free > least
    }
}

fn main() {}
