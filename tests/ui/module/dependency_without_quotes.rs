use dms::prelude::*;

#[module(depends(store))]
struct Counter;

#[module(depends(cache >= 1.3))]
struct Clock;

#[module(depends("store" "cache"))]
struct Timer;

#[module(depends(optional(metrics)))]
struct Shelf;

#[module(depends(optional("metrics", optional("trace"))))]
struct Disk;

fn main() {}
