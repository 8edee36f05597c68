use dms::prelude::*;

#[module(overflow = reject)]
struct Counter;

fn main() {}
