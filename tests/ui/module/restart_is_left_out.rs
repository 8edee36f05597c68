use dms::prelude::*;

#[module(max_restarts = 5, within = "60s", backoff = "100ms..30s")]
struct Counter;

#[module(restart = never, max_restarts = 5)]
struct Clock;

fn main() {}
