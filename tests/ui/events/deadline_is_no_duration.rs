use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[event(deadline = "1.5s")]
    fn on_event(&self, event: &Event) {}
}

fn main() {}
