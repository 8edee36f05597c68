#[module(name = "counter")]
struct Counter {
    count: u64,
}

#[module(remote)]
impl Counter {
    /// Adds to the count.
    #[handler]
    async fn add(&mut self, Add(by): messages::Add) -> u64 {
        self.count += by;
        self.count
    }

    #[handler(Scale, derive(Clone))]
    fn scale(&mut self, by: u64, #[serde(default)] offset: u64) -> Result<u64, messages::Refusal> {
        self.count = self.count * by + offset;
        Ok(self.count)
    }

    #[cfg(feature = "print")]
    #[handler(Print)]
    fn print(&self, label: Option<String>, reply: ReplyTo<()>) {
        reply.send(());
    }

    #[handler(Reset, local)]
    fn reset(&mut self) {
        self.count = 0;
    }

    #[request]
    async fn handle_request(&mut self, ctx: &mut Context<Self>, request: &Request) -> Result<Response, ModuleError> {
        Ok(Response::err(request.request_type.clone()))
    }
}
