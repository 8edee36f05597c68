use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health]
    fn health(&self) {}
}

#[module]
struct Unit;

#[module]
impl Unit {
    #[health]
    async fn health(&self) -> () {}
}

fn main() {}
