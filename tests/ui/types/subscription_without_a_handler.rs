use dms::event::MemoryPressure;
use dms::prelude::*;

#[module]
struct Cache;

impl Module for Cache {
    type Message = DynMessage<Self>;

    async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        ctx.subscribe::<MemoryPressure>();
        Ok(())
    }
}

fn main() {}
