use dms::prelude::*;

#[module]
pub struct Counter;

#[module(visibility = "pub(crate)")]
impl Counter {
    #[handler(Get)]
    fn get(&self) -> u64 {
        0
    }
}

fn main() {}
