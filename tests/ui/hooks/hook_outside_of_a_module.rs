use dms::prelude::*;

#[init]
async fn init() {}

#[stop]
struct Stop;

fn main() {}
