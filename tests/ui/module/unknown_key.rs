use dms::prelude::*;

#[module(name = "counter", colour = "always")]
struct Counter;

fn main() {}
