use dms::prelude::*;

#[module(name = "counter", restrt = "always")]
struct Counter;

fn main() {}
