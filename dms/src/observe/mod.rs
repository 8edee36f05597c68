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
//! Reading order: `snapshot.rs` is what is told; where it comes from is in the room `module`: `traffic.rs` counts, `histogram.rs` keeps times.

mod snapshot;

pub use crate::module::histogram::Histogram;
pub use crate::module::traffic::Counters;
pub use snapshot::{ModuleStatistics, SystemSnapshot, TypeStatistics};
