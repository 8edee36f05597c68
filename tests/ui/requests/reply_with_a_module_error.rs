use dms::prelude::*;

#[module(name = "counter")]
struct Counter;

#[module]
impl Counter {
    #[handler(Add, remote)]
    fn add(&mut self, by: u64) -> Result<u64, ModuleError> {
        Ok(by)
    }
}

fn main() {}
