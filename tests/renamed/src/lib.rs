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

/// Says everything itself.
#[module(version = "2.0.1", description = "Speaks.", author = "Grace Hopper", license = "Apache-2.0")]
#[derive(Debug)]
pub struct Speaker;

#[module]
impl Speaker {}

/// Nothing is said of it.
#[module(author = "", license = "", description = "")]
#[derive(Debug)]
pub struct Mute;

#[module]
impl Mute {}

#[cfg(test)]
mod tests {
    use actors::{Describe, ModuleFlags, ModuleInfo};

    use super::*;

    #[tokio::test]
    async fn generated_code_names_the_crate_as_its_user_does() {
        let system = System::new();
        let counter = system.register_module(Counter::default()).await.expect("it starts");
        assert_eq!(counter.add(2).await.expect("a reply"), 2);
        assert_eq!(counter.get().await.expect("a reply"), 2);
        system.shutdown().await;
    }

    #[test]
    fn what_a_module_does_not_say_of_itself_its_own_crate_says() {
        const INFO: ModuleInfo = Counter::INFO;
        assert_eq!((INFO.name, INFO.type_name, INFO.unique), ("Counter", "Counter", false));
        assert_eq!(INFO.version.to_string(), "0.7.3");
        assert_eq!(INFO.description, "Counts.");
        assert_eq!(INFO.author, "Ada Lovelace <ada@example.org>, Charles Babbage");
        assert_eq!(INFO.license, "MIT");
        assert_eq!(INFO.flags, ModuleFlags::NONE);
        assert!(INFO.dependencies.is_empty() && INFO.optional_dependencies.is_empty() && INFO.provides.is_empty());
    }

    #[test]
    fn what_a_module_says_of_itself_comes_before_what_its_crate_says() {
        const INFO: ModuleInfo = Speaker::INFO;
        const MUTE: ModuleInfo = Mute::INFO;
        assert_eq!(INFO.version.to_string(), "2.0.1");
        assert_eq!((INFO.description, INFO.author, INFO.license), ("Speaks.", "Grace Hopper", "Apache-2.0"));
        assert_eq!((MUTE.description, MUTE.author, MUTE.license), ("", "", ""));
    }
}
