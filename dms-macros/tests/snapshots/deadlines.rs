#[module(version = "0.1.0")]
struct Oven {
    bread: Vec<Bread>,
}

#[module]
impl Oven {
    #[handler(deadline = "2s")]
    async fn bake(&mut self, dough: Dough, ctx: &mut Context<Self>) -> Bread {
        ctx.bake(dough).await
    }

    #[handler(Take, boxed, deadline = "250ms")]
    fn take(&mut self, at: usize) -> Bread {
        self.bread.remove(at)
    }

    #[handler(Order, deadline = "1m")]
    async fn order(&mut self, reply: ReplyTo<Bread>) {
        reply.send(self.bread.pop().await);
    }

    #[tick(every = "1h", deadline = "1s")]
    async fn clean(&mut self) {}

    #[event(deadline = "1s")]
    fn on_pressure(&mut self, event: &MemoryPressure) {
        self.bread.clear();
    }
}
