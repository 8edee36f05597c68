use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[handler(Health)]
    fn health(&self) -> bool {
        true
    }

    #[handler(Check)]
    fn check_health(&self) -> bool {
        true
    }
}

fn main() {}
