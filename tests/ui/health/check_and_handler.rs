use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health]
    #[handler(Check)]
    fn check(&self) -> bool {
        true
    }
}

fn main() {}
