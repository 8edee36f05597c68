//! The front door under every lint that a careful crate turns on, as warnings that fail the build.
#![deny(warnings, missing_docs, unreachable_pub, unused, clippy::pedantic)]
#![forbid(unsafe_code)]

use dms::prelude::*;
use std::num::ParseIntError;
use std::time::Duration;

/// Counts things.
///
/// A lot of them.
#[module(name = "counter", version = "1.2.0", mailbox = 64, overflow = reject, timeout = "2s")]
#[derive(Default)]
pub struct Counter {
    count: u64,
    log: Vec<String>,
}

/// Adds to the count.
#[derive(Clone)]
pub struct Add(pub u64);

/// Is answered later.
pub struct Later(pub u64);

#[module]
impl Counter {
    const LIMIT: u64 = 3;

    /// The argument's type is the message. See also [`Self::get`].
    #[handler]
    pub async fn add(&mut self, Add(n): Add) {
        self.count += n;
    }

    /// `Get` is generated.
    #[handler(Get, derive(Clone, Debug, PartialEq))]
    pub fn get(&self) -> u64 {
        self.count.max(Self::LIMIT)
    }

    #[handler(Scale, derive(Clone))]
    async fn scale(
        &mut self,
        /// The factor.
        by: u64,
        offset: u64,
        ctx: &mut Context<Self>,
    ) -> Result<u64, ParseIntError> {
        self.log.push(format!("{:?}", ctx.id()));
        self.count = self.count * by + offset;
        Ok(self.count)
    }

    #[handler]
    fn later(&mut self, Later(n): Later, reply: ReplyTo<u64>) {
        reply.send(n + self.count);
    }

    #[handler(Many)]
    fn many(&self, a: String, b: String, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> Option<bool> {
        Some(a == b && c == d && e == f && g == h)
    }

    #[tick(every = "30s")]
    async fn report(&mut self) {
        self.log.clear();
    }

    #[init]
    async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        self.log.push(format!("{:?}", ctx.id()));
        Ok(())
    }

    #[stop]
    async fn stop(&mut self) {
        self.helper();
    }

    fn helper(&mut self) {
        self.log.clear();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::new();
    let counter = system.register_module(Counter::default()).await?;
    counter.send(Add(5)).await?;
    assert_eq!(counter.ask(Get.clone()).await?, 5);
    assert_eq!(counter.scale(3, 1).await??, 16);
    assert_eq!(counter.later(Later(2)).await?, 18);
    assert_eq!(counter.many("a".into(), "a".into(), 1, 1, 2, 2, 3, 3).await?, Some(true));
    let ticks = counter.request_tick(Add(1), Duration::from_secs(2));
    ticks.stop();

    let info = counter.info();
    assert_eq!((info.name, info.version.to_string().as_str()), ("counter", "1.2.0"));
    assert_eq!((info.description, info.mailbox), ("Counts things.", Some(64)));
    assert_eq!(info.overflow, Overflow::Reject);
    system.shutdown().await;
    Ok(())
}
