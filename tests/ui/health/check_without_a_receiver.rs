use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health]
    fn health() -> bool {
        true
    }
}

fn main() {}
