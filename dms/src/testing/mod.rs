//! What users test their modules with.
//!
//! A module is tested for real: register it in a [`System`](crate::System) of the test's own, with `#[tokio::test(start_paused = true)]` where time matters. What it talks
//! to is replaced: [`mock`] stands in for a module, [`mock_in`] does so in a system, for its name, [`probe`] for a receiver of one message. With the feature `session`, `Network` is a network that misbehaves, the same way for the same seed.

mod mock;
#[cfg(feature = "session")]
mod network;
mod probe;
#[cfg(feature = "session")]
mod trace;

pub use mock::{Mock, mock, mock_in};
#[cfg(feature = "session")]
pub use network::{Faults, Network, NetworkCounts};
pub use probe::{Probe, probe};
