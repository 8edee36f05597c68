use dms::prelude::*;

#[module]
struct Counter;

#[module(priority = 3)]
impl Counter {}

fn main() {}
