use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health]
    #[health(every = "1s")]
    fn health(&self) -> bool {
        true
    }
}

fn main() {}
