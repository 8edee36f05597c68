//! What is going on in a system (feature `observe`): what each module has done with its messages, and how long that took.
//!
//! [`SystemRef::snapshot`](crate::SystemRef::snapshot) tells of all modules, [`ModuleRef::statistics`](crate::ModuleRef::statistics) of one. Both can be serialised.
//!
//! ```
//! use dms::prelude::*;
//!
//! #[module(name = "counter")]
//! struct Counter { count: u64 }
//!
//! #[module]
//! impl Counter {
//!     #[handler(Add)]
//!     fn add(&mut self, number: u64) -> u64 {
//!         self.count += number;
//!         self.count
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let system = System::builder("shop").build();
//! let counter = system.register_module(Counter { count: 0 }).await?;
//! counter.add(2).await?;
//!
//! let snapshot = system.snapshot();
//! assert_eq!(snapshot.system, "shop");
//! assert_eq!(snapshot.modules[0].name, "counter");
//! assert_eq!(snapshot.modules[0].counters.accepted, 1);
//! assert_eq!(counter.statistics().counters.wait_time.count(), 1);
//! # system.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! # How exact it is
//!
//! The counters of a module are exact, and each message is in one of them at any moment. They are those of one moment for one module, not for all: while a snapshot is taken the
//! modules go on, so what one has sent another may not have got yet. Times are measured of some messages only, since to look at the clock takes longer than to hand a message over.
//!
//! # Spans and logs
//!
//! For a subscriber of `tracing` that wants the level DEBUG of the target `dms::message`, each message is a root span named `message`, entered whenever its handler is polled. Its fields are `module`,
//! `handler` and `message`, the type. It follows from the span in which the sender was: that of another message, or one of your own. A delayed message follows from whoever asked for it; ticks follow from nobody. In a
//! `#[run]` loop it is [`Inbox::dispatch`](crate::Inbox::dispatch) that has spans. Mailboxes notice a subscriber that comes later than they within some hundred messages: until then spans are not linked. A subscriber is asked for the current span while the mailbox is locked: it must not send to modules from there.
//!
//! The target `dms::life` tells of each step in the life of a module, at DEBUG: registered, initialised, started, running, stopping, stopped, with `module`, `id` and `incarnation`. Failures are logged without this
//! feature too, each once: as a warning where the module is started again, else as an error.
//!
//! # Metrics
//!
//! With the feature `metrics`, a `MetricsExporter` mirrors what snapshots tell to the recorder of the crate `metrics`: by type of module, so that there are as many series as types.
//!
//! Reading order: `snapshot.rs` is what is told, `metrics.rs` mirrors it; where it comes from is in the room `module`: `traffic.rs` counts, `histogram.rs` keeps times.

#[cfg(feature = "metrics")]
mod metrics;
mod snapshot;

#[cfg(feature = "metrics")]
pub use self::metrics::MetricsExporter;
pub use crate::module::histogram::Histogram;
pub use crate::module::traffic::Counters;
pub use snapshot::{ModuleStatistics, SystemSnapshot, TypeStatistics};
