use dms::prelude::*;

#[module]
struct Counter;

#[module]
impl Counter {}

#[module(replaces = Counter)]
struct CounterV2;

#[module(replaces = Counter)]
impl CounterV2 {}

fn main() {}
