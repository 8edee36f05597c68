use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health]
    fn space(&self) -> bool {
        self.free > 0
    }

    #[health]
    fn speed(&self) -> bool {
        true
    }
}

fn main() {}
