use dms::prelude::*;

#[module(mailbox = 8, overflow = "drop")]
struct Counter;

fn main() {}
