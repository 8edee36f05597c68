use dms::prelude::*;

#[module(name = "counter", essential)]
struct Counter;

fn main() {}
