use std::rc::Rc;

use dms::event::MemoryPressure;
use dms::prelude::*;

#[module]
struct Cache;

#[module]
impl Cache {
    #[event]
    async fn on_pressure(&mut self, _event: &MemoryPressure) {
        let local = Rc::new(1);
        tokio::task::yield_now().await;
        drop(local);
    }
}

fn main() {}
