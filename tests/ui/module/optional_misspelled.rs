use dms::prelude::*;

#[module(name = "counter", depends("store", optionl("metrics")))]
struct Counter;

fn main() {}
