use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[handler(Check)]
    fn health_(&self) {}

    #[health]
    fn health(&self) -> bool {
        true
    }
}

fn main() {}
