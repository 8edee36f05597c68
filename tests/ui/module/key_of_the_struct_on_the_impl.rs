use dms::prelude::*;

#[module]
struct Counter;

#[module(name = "counter", mailbox = 8, flags(DRIVER), depends("store"))]
impl Counter {}

fn main() {}
