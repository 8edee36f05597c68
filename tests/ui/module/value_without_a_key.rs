use dms::prelude::*;

#[module("counter")]
struct Counter;

fn main() {}
