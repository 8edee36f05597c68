use dms::prelude::*;

#[module(provides(""))]
struct Counter;

#[module(provides("metrics sink"))]
struct Clock;

#[module(provides("cache >= 1.3"))]
struct Timer;

#[module(provides(count))]
struct Shelf;

#[module(provides("a" "b"))]
struct Disk;

fn main() {}
