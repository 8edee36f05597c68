//! Events: published once, handled by every module that takes them, in its own turn. The publisher may ask what became of one.
//!
//! ```sh
//! cargo run -p dms-examples --bin events
//! ```
//!
//! It runs on a paused clock, which jumps to the next tick when all is done. It prints
//!
//! ```text
//! shelf: 1 of `tea` is left
//! sold `tea`: 2 handled, 0 ignored, 0 failed, 0 lagged, 0 unanswered
//! shelf: 0 of `tea` are left
//! sold `tea`: 2 handled, 0 ignored, 0 failed, 0 lagged, 0 unanswered
//! sold `tea`: 1 handled, 0 ignored, 1 failed, 0 lagged, 0 unanswered
//! sold `milk`: 1 handled, 1 ignored, 0 failed, 0 lagged, 0 unanswered
//! till: 4 sold after 30s
//! till: closes with 4
//! ```

use std::error::Error;
use std::time::Duration;

use dms::event::{Shutdown, Tick};
use dms::prelude::*;

/// Any type that is `Send + Sync + 'static` can be published.
pub struct Sold {
    item: &'static str,
}

#[module]
struct Shelf {
    tea: u32,
}

#[module]
impl Shelf {
    #[event]
    fn on_sold(&mut self, sold: &Sold) -> Result<EventResponse, ModuleError> {
        if sold.item != "tea" {
            return Ok(EventResponse::Ignored);
        }
        self.tea = self.tea.checked_sub(1).ok_or("no tea is left")?;
        println!("shelf: {} of `tea` {} left", self.tea, if self.tea == 1 { "is" } else { "are" });
        Ok(EventResponse::Handled)
    }
}

#[module]
struct Till {
    sold: u32,
}

#[module]
impl Till {
    #[event]
    async fn on_sold(&mut self, _: &Sold) {
        self.sold += 1;
    }

    /// The system's own events are subscribed to in the same way.
    #[event]
    fn on_tick(&mut self, tick: &Tick) {
        println!("till: {} sold after {:?}", self.sold, Duration::from_nanos(tick.timestamp_ns));
    }

    /// All modules hear of it before the `stop` hook of any runs.
    #[event]
    fn on_shutdown(&mut self, _: &Shutdown) {
        println!("till: closes with {}", self.sold);
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let system = System::builder("shop").tick_every(Duration::from_secs(30)).build();
    system.register_module(Shelf { tea: 2 }).await?;
    system.register_module(Till { sold: 0 }).await?;

    for item in ["tea", "tea", "tea", "milk"] {
        // It has been delivered when `publish` returns; whoever does not care does not await it.
        let counts = system.publish(Sold { item }).await;
        println!("sold `{item}`: {counts}");
    }
    tokio::time::sleep(Duration::from_secs(31)).await;
    system.shutdown().await;
    Ok(())
}
