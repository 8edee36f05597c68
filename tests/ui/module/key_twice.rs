use dms::prelude::*;

#[module(name = "counter", version = "1.0.0", name = "clock")]
struct Counter;

fn main() {}
