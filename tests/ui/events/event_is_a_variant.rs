use dms::prelude::*;

#[module]
struct Cache {
    entries: Vec<u8>,
}

#[module]
impl Cache {
    #[event]
    fn on_shutdown(&mut self, _: &Event::Shutdown) {}
}

fn main() {}
