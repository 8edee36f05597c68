use dms::prelude::*;

#[module(name = "counter", depends("store"), optional("metrics"))]
struct Counter;

fn main() {}
