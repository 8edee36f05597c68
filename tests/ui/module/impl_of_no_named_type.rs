use dms::prelude::*;

trait Counts {}

#[module]
impl dyn Counts {
    #[handler(Get)]
    fn get(&self) -> u8 {
        0
    }
}

fn main() {}
