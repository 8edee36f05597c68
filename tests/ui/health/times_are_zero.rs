use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health(every = "0s", timeout = "0ms")]
    fn health(&self) -> bool {
        true
    }
}

fn main() {}
