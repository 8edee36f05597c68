use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health(every = "often", timeout = "1.5s")]
    fn health(&self) -> bool {
        true
    }
}

#[module]
struct Unit;

#[module]
impl Unit {
    #[health(every = 10, timeout)]
    fn health(&self) -> bool {
        true
    }
}

fn main() {}
