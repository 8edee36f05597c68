use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health(failures = 0, successes = 0)]
    fn health(&self) -> bool {
        true
    }
}

fn main() {}
