use dms::prelude::*;

#[module(provides("count", "metrics.sink", "count"))]
struct Counter;

fn main() {}
