use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler]
    fn get(self) -> &'static str {
        "none"
    }

    #[handler(Set, boxxed)]
    unsafe fn set(&mut self, text: &str, ctx: Context<Self>) {}

    #[tick(every = "soon")]
    fn report(&self) -> u64 {
        0
    }

    #[run]
    fn run(&mut self) {}
}

fn main() {}
