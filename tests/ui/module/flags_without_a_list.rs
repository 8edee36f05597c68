use dms::prelude::*;

#[module(flags = ESSENTIAL)]
struct Counter;

#[module(flags = ModuleFlags::DRIVER | ModuleFlags::user(3))]
struct Clock;

#[module(flags)]
struct Timer;

#[module(flags = 5)]
struct Disk;

fn main() {}
