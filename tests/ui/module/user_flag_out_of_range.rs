use dms::prelude::*;

#[module(flags(user(40)))]
struct Counter;

#[module(flags(DRIVER, user))]
struct Clock;

#[module(flags(user = 3))]
struct Timer;

#[module(flags(user(BILLING)))]
struct Invoices;

#[module(flags(user()))]
struct Orders;

fn main() {}
