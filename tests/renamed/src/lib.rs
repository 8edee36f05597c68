//! A module in a crate that knows dms as `actors`: there is no `dms` here for generated code to name.
//!
//! The lints of the workspace hold here too, so this is also where clippy reads what the macros make of a handler.

use actors::prelude::*;

/// Counts.
#[module(mailbox = 8, overflow = reject, timeout = "1s")]
#[derive(Debug, Default)]
pub struct Counter {
    count: u64,
}

#[module]
impl Counter {
    /// Adds to the count.
    #[handler(Add, derive(Clone, Debug))]
    pub async fn add(&mut self, by: u64) -> u64 {
        self.count += by;
        self.count
    }

    /// Is answered through its `ReplyTo`.
    #[actors::handler(Get, boxed)]
    pub fn get(&self, reply: ReplyTo<u64>) {
        reply.send(self.count);
    }

    #[tick(every = "1h")]
    fn reset(&mut self) {
        self.count = 0;
    }

    #[init]
    async fn open(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        debug_assert_eq!(ctx.id(), ctx.self_ref().id());
        Ok(())
    }

    #[run]
    async fn serve(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
        while let Some(message) = inbox.recv().await {
            inbox.dispatch(message, self, ctx).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn generated_code_names_the_crate_as_its_user_does() {
        let system = System::new();
        let counter = system.register_module(Counter::default()).await.expect("it starts");
        assert_eq!(counter.add(2).await.expect("a reply"), 2);
        assert_eq!(counter.get().await.expect("a reply"), 2);
        system.shutdown().await;
    }
}
