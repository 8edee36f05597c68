use dms::prelude::*;

#[module]
struct Disk {
    free: std::cell::Cell<u64>,
}

#[module]
impl Disk {
    #[health]
    async fn health(&self) -> bool {
        std::future::ready(true).await
    }
}

fn main() {}
