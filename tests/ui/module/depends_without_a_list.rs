use dms::prelude::*;

#[module(depends = "store")]
struct Counter;

#[module(depends = ["store", "cache >= 1.3"])]
struct Clock;

#[module(depends)]
struct Timer;

#[module(depends(optional))]
struct Shelf;

#[module(depends(optional = "metrics"))]
struct Disk;

fn main() {}
