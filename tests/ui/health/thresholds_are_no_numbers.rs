use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health(failures = "three", successes = 2.5)]
    fn health(&self) -> bool {
        true
    }
}

#[module]
struct Unit;

#[module]
impl Unit {
    #[health(failures = 3u8, successes = 5000000000)]
    fn health(&self) -> bool {
        true
    }
}

fn main() {}
