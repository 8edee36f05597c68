use dms::prelude::*;

#[module(name = "counter", depends("store", "counter >= 1"))]
struct Counter;

#[module(provides("time"), depends(optional("time")))]
struct Clock;

fn main() {}
