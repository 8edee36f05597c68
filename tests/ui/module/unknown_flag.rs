use dms::prelude::*;

#[module(flags(ESSENTIAL, BILLING))]
struct Counter;

#[module(flags(essential))]
struct Clock;

#[module(flags(HOT_RELODABLE, DRIVER))]
struct Timer;

#[module(flags("SECURITY"))]
struct Guard;

#[module(flags(dms::ModuleFlags::SCHEDULER))]
struct Planner;

#[module(flags(DRIVER | FILESYSTEM))]
struct Disk;

fn main() {}
