use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health(interval = "10s", boxed, "5s")]
    fn health(&self) -> bool {
        true
    }
}

fn main() {}
