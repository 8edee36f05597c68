use dms::prelude::*;

#[module(remote)]
struct Counter;

fn main() {}
