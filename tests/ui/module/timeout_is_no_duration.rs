use dms::prelude::*;

#[module(timeout = "2 seconds")]
struct Counter;

#[module(timeout = 5)]
struct Clock;

#[module(timeout = "0s")]
struct Timer;

fn main() {}
