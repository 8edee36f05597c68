use dms::event::MemoryPressure;
use dms::prelude::*;

#[event]
fn on_pressure(event: &MemoryPressure) {}

fn main() {}
