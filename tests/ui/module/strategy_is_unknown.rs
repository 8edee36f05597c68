use dms::prelude::*;

#[module(strategy = all_for_one)]
struct Counter;

#[module(strategy)]
struct Clock;

fn main() {}
