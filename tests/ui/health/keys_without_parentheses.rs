use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health = "10s"]
    fn health(&self) -> bool {
        true
    }
}

fn main() {}
