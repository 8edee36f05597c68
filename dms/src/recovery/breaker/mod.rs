//! Keeping calls away from what keeps failing.
//!
//! Reading order: [`circuit`] decides, [`call`] lets calls through and tells it how they ended, [`builder`] has the settings, [`metrics`] what was counted, [`error`] what a
//! caller can meet.

mod builder;
mod call;
mod circuit;
mod error;
mod metrics;

pub use builder::BreakerBuilder;
pub use call::CircuitBreaker;
pub use circuit::CircuitState;
pub use error::BreakerError;
pub use metrics::BreakerMetrics;
