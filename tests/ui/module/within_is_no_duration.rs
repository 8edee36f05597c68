use dms::prelude::*;

#[module(restart = on_failure, within = "a minute")]
struct Counter;

#[module(restart = on_failure, within = 60)]
struct Clock;

#[module(restart = on_failure, within = "0s")]
struct Timer;

fn main() {}
