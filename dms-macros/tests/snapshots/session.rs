#[module(version = "0.1.0", timeout = off)]
enum Session {
    Waiting,
    Open(Peer),
}

#[module]
impl Session {
    #[handler(Close)]
    fn close(&mut self) {
        *self = Self::Waiting;
    }

    #[run]
    async fn talk(&mut self, ctx: &mut Context<Self>, inbox: &mut Inbox<Self>) -> Result<(), ModuleError> {
        while let Some(message) = inbox.recv().await {
            inbox.dispatch(message, self, ctx).await;
        }
        Ok(())
    }
}
