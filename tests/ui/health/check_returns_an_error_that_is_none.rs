use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health]
    fn health(&self) -> Result<(), u64> {
        Err(self.free)
    }
}

fn main() {}
