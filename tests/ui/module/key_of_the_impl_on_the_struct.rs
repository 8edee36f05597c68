use dms::prelude::*;

#[module(visibility = "pub(crate)")]
struct Counter;

fn main() {}
