use dms::prelude::*;

#[module(authors = "Ada Lovelace")]
struct Counter;

#[module(licence = "MIT")]
struct Clock;

#[module(depend("store"))]
struct Timer;

fn main() {}
