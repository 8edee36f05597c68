use dms::prelude::*;

#[tick(every = "30s")]
fn report() {}

fn main() {}
