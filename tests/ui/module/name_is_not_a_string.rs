use dms::prelude::*;

#[module(name = counter)]
struct Counter;

#[module(name)]
struct Clock;

#[module(name = )]
struct Timer;

fn main() {}
