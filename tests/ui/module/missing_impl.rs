use dms::prelude::*;

#[module]
struct Counter;

async fn register(system: &System) {
    let _ = system.register_module(Counter);
}

fn main() {}
