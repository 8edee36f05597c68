use dms::prelude::*;

#[module(flags(DRIVER, ESSENTIAL, DRIVER))]
struct Counter;

#[module(flags(user(3), user(3)))]
struct Clock;

fn main() {}
