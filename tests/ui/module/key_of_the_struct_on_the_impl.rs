use dms::prelude::*;

#[module]
struct Counter;

#[module(name = "counter", mailbox = 8)]
impl Counter {}

fn main() {}
