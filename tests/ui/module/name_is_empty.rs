use dms::prelude::*;

#[module(name = "")]
struct Counter;

#[module(name = " clock ")]
struct Clock;

fn main() {}
