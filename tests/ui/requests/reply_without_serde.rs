use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

pub struct Count(u64);

#[module(remote)]
impl Counter {
    #[handler(Get)]
    fn get(&self) -> Result<Count, String> {
        Ok(Count(self.count))
    }
}

fn main() {}
