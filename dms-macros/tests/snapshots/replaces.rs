#[module(replaces = v1::Counter)]
impl CounterV2 {
    #[handler(Add)]
    async fn add(&mut self, by: u64) -> u64 {
        self.count += by;
        self.count
    }

    #[handler]
    fn get(&self, Get: Get, ctx: &mut Context<Self>) -> u64 {
        self.count
    }

    #[handler(Later)]
    fn later(&mut self, reply: ReplyTo<u64>) {
        reply.send(self.count);
    }

    #[tick(every = "1s")]
    fn tick(&mut self) {}

    #[event]
    fn on_down(&mut self, down: &Down) {}
}
