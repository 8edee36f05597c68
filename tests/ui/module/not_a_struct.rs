use dms::prelude::*;

#[module]
fn counter() {}

#[module]
mod counter {}

#[module]
trait Counts {}

#[module]
union Bits {
    a: u32,
    b: f32,
}

fn main() {}
