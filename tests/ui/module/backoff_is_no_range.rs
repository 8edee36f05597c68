use dms::prelude::*;

#[module(restart = on_failure, backoff = "100ms")]
struct Counter;

#[module(restart = on_failure, backoff = "100ms..soon")]
struct Clock;

#[module(restart = on_failure, backoff = "30s..100ms")]
struct Timer;

#[module(restart = on_failure, backoff = 100)]
struct Lamp;

fn main() {}
