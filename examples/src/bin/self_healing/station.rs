//! What may fail: stations that work, and the supervisors that have them as children.

use std::time::Duration;

use dms::Version;
use dms::prelude::*;

/// How long a station works on one order.
const WORK: Duration = Duration::from_millis(2);

/// Works on orders one after the other, until one of them is too much for it.
#[module(flags(HOT_RELOADABLE), restart = on_failure, max_restarts = 5, within = "30s", backoff = "200ms..5s")]
pub(crate) struct Station {
    /// Each order of which the number can be divided by this one is too much.
    flaw: u64,
    /// How many orders it has worked on.
    done: u64,
}

#[module]
impl Station {
    pub(crate) fn new(flaw: u64) -> Self {
        Self { flaw, done: 0 }
    }

    #[handler(Work)]
    async fn work(&mut self) {
        tokio::time::sleep(WORK).await;
        self.done += 1;
        assert!(!self.done.is_multiple_of(self.flaw), "order {} is too much", self.done);
    }

    /// Fails at once.
    #[handler(Panic)]
    fn panic(&mut self) {
        panic!("somebody pulled the plug");
    }

    /// Waits for what never comes.
    #[handler(Hang)]
    async fn hang(&mut self) {
        std::future::pending::<()>().await;
    }

    /// Asked again and again; one that hangs does not come to it.
    #[health(every = "500ms", timeout = "400ms")]
    fn health(&self) -> HealthStatus {
        HealthStatus::Healthy
    }

    /// What a reload hands over. A restart does not: what failed may be wrong.
    #[snapshot]
    fn snapshot(&self) -> u64 {
        self.done
    }

    #[restore]
    fn restore(&mut self, done: u64, _from: Version) {
        self.done = done;
    }
}

/// Turns corn into bread: what one station makes the next one needs, so those behind one that fails begin again with it.
#[module(strategy = rest_for_one, restart = on_failure, max_restarts = 2, within = "60s", backoff = "1s..10s")]
pub(crate) struct Bakery;

#[module]
impl Bakery {
    #[start]
    async fn start(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        for (name, flaw) in [("mill", 4_001), ("oven", 2_503), ("slicer", 1_801)] {
            ctx.register_with(move |_| Station::new(flaw)).name(name).await?;
        }
        Ok(())
    }
}

/// Sells it: each station is on its own.
#[module(strategy = one_for_one, restart = on_failure, max_restarts = 2, within = "60s", backoff = "1s..10s")]
pub(crate) struct Shop;

#[module]
impl Shop {
    #[start]
    async fn start(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        for (name, flaw) in [("till", 3_001), ("scales", 2_203)] {
            ctx.register_with(move |_| Station::new(flaw)).name(name).await?;
        }
        Ok(())
    }
}
