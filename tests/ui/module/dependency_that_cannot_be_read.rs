use dms::prelude::*;

#[module(depends("cache >= x"))]
struct Counter;

#[module(depends("cache latest", ">= 1.3"))]
struct Clock;

#[module(depends(optional("")))]
struct Timer;

#[module(depends(" store"))]
struct Shelf;

#[module(depends("st\u{7}ore"))]
struct Disk;

#[module(depends("store, cache"))]
struct Orders;

fn main() {}
