use dms::prelude::*;

#[module]
#[module(name = "counter")]
struct Counter;

fn main() {}
