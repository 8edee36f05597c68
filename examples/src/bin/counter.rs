//! The front door: a module, its messages, and all ways to talk to it.
//!
//! ```sh
//! cargo run -p dms-examples --bin counter
//! ```
//!
//! It prints
//!
//! ```text
//! counter 1.2.0: Counts things.
//! 2 after a send, 2 by the method
//! scaled to 7
//! refused: 7 * 18446744073709551615 does not fit
//! ticked to 10 and beyond
//! given back what was taken
//! ask after the shutdown: module `counter` has stopped and did not handle `get`
//! ```

use std::error::Error;
use std::time::Duration;

use dms::prelude::*;

/// Counts things.
#[module(name = "counter", version = "1.2.0")]
#[derive(Default)]
struct Counter {
    count: u64,
}

/// Any type can be a message. Ticks need it to be `Clone`.
#[derive(Clone)]
struct Add(u64);

#[module]
impl Counter {
    /// The argument's type is the message.
    #[handler]
    fn add(&mut self, Add(n): Add) {
        self.count += n;
    }

    /// `Get` is generated; the return type is the reply.
    #[handler(Get)]
    fn get(&self) -> u64 {
        self.count
    }

    /// `Scale { by, offset }` is generated from the arguments. Any handler may be async.
    #[handler(Scale)]
    async fn scale(&mut self, by: u64, offset: u64) -> Result<u64, String> {
        let scaled = self.count.checked_mul(by).and_then(|scaled| scaled.checked_add(offset));
        self.count = scaled.ok_or_else(|| format!("{} * {by} does not fit", self.count))?;
        Ok(self.count)
    }

    #[stop]
    async fn stop(&mut self) {
        println!("given back what was taken");
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let system = System::new();
    let counter = system.register_module(Counter::default()).await?;
    println!("{} {}: {}", counter.name(), counter.info().version, counter.info().description);

    counter.send(Add(2)).await?; // In the mailbox when it returns.
    let asked = counter.ask(Get).await?; // A typed reply.
    let called = counter.get().timeout(Duration::from_millis(500)).await?; // The same message, by its handler's name.
    println!("{asked} after a send, {called} by the method");

    println!("scaled to {}", counter.scale(3, 1).await??);
    if let Err(error) = counter.scale(u64::MAX, 0).await? {
        println!("refused: {error}");
    }

    let ticks = counter.request_tick(Add(1), Duration::from_millis(10)); // A message each 10 ms, until it is stopped.
    while counter.get().await? < 10 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    ticks.stop();
    println!("ticked to 10 and beyond");

    system.shutdown().await;
    if let Err(error) = counter.get().await {
        println!("ask after the shutdown: {error}");
    }
    Ok(())
}
