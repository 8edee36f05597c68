use dms::prelude::*;

#[module(author = Ada)]
struct Counter;

#[module(license(MIT))]
struct Clock;

#[module(author)]
struct Timer;

fn main() {}
