use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    fn free(&self) -> u64 {
        self.free
    }
}

#[health]
fn health() -> bool {
    true
}

fn main() {}
