use dms::prelude::*;

#[module(provides = "count")]
struct Counter;

#[module(provides = ["count", "metrics.sink"])]
struct Clock;

#[module(provides)]
struct Timer;

fn main() {}
