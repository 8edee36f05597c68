use dms::prelude::*;

#[module]
struct Counter;

#[module]
impl Counter {}

struct Plain;

async fn register(system: System) {
    system.register_all((Counter, Plain)).await.unwrap();
}

fn main() {}
