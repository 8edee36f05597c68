use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(All)]
    fn all(&self) -> impl Iterator<Item = u64> {
        0..self.count
    }
}

fn main() {}
