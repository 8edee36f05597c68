use dms::prelude::*;

#[handler(Get)]
fn get() -> u64 {
    0
}

fn main() {}
