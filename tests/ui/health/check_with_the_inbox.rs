use dms::prelude::*;

#[module]
struct Disk {
    free: u64,
}

#[module]
impl Disk {
    #[health]
    fn health(&self, inbox: &mut Inbox<Self>) -> bool {
        true
    }
}

fn main() {}
