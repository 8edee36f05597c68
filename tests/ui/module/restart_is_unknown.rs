use dms::prelude::*;

#[module(restart = sometimes)]
struct Counter;

#[module(restart)]
struct Clock;

fn main() {}
