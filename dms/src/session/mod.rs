//! Concurrent stateful protocols outside modules: channels, background tasks, transports (feature `session`).
//!
//! A *session* is a task that drives its own loop: it waits with `select!` for what it expects next, and shares no state with any other. A module with
//! [`#[run]`](crate::run) is one; so is any future that takes an [`EventSource`].
//!
//! Reading order: [`channel`] is what sessions tell each other with. [`transport`] is how they reach those on other machines, [`memory`] the same within one process.

mod channel;
mod memory;
mod transport;

pub use channel::{Closed, EventSender, EventSource, TrySendError, event, event_within};
pub use memory::{AddrInUse, Memory, MemoryNetwork};
pub use transport::{Endpoint, Transport, TransportError};
