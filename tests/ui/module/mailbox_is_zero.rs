use dms::prelude::*;

#[module(mailbox = 0)]
struct Counter;

fn main() {}
