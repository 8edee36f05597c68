use dms::prelude::*;

#[module(restart = on_failure, max_restarts = "five")]
struct Counter;

#[module(restart = on_failure, max_restarts = 99999999999)]
struct Clock;

fn main() {}
