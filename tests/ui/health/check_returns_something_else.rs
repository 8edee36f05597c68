use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health]
    fn health(&self) -> u64 {
        self.free
    }
}

fn main() {}
