use dms::prelude::*;

#[module(version = "1.2")]
struct Counter;

#[module(version = "1.2.0-rc.1")]
struct Clock;

#[module(version = 1.2)]
struct Timer;

fn main() {}
