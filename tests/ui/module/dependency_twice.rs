use dms::prelude::*;

#[module(depends("store", "cache", "store >= 2"))]
struct Counter;

#[module(depends("store", optional("store")))]
struct Clock;

fn main() {}
