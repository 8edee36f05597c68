use dms::prelude::*;

#[module(mailbox = "64")]
struct Counter;

#[module(mailbox = -1)]
struct Clock;

#[module(mailbox = 99999999999999999999999)]
struct Timer;

fn main() {}
