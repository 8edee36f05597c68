use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[derive(serde::Deserialize)]
struct Add(u64);

#[module]
impl Counter {
    #[handler(remote)]
    fn add(&mut self, Add(by): Add) -> u64 {
        self.count += by;
        self.count
    }
}

fn main() {}
