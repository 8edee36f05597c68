use dms::prelude::*;

#[module]
struct Counter;

#[module(visibility = "crate")]
impl Counter {}

fn main() {}
