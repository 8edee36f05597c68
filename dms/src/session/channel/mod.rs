//! Channels between sessions, thin over Tokio's.
//!
//! [`event`](mod@event): many senders, one loop that takes what comes.

mod error;
mod event;

pub use error::{Closed, TrySendError};
pub use event::{EventSender, EventSource, event, event_within};
