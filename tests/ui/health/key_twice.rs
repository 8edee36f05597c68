use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health(every = "10s", timeout = "1s", every = "20s", failures = 3, failures = 4, timeout = "2s")]
    fn health(&self) -> bool {
        true
    }
}

fn main() {}
