//! Concurrent stateful protocols outside modules: channels, background tasks, transports (feature `session`).
//!
//! A *session* is a task that drives its own loop: it waits with `select!` for what it expects next, and shares no state with any other. A module with
//! [`#[run]`](crate::run) is one; so is any future that takes an [`EventSource`].
//!
//! Reading order: `channel` is what sessions tell each other with, `background` what runs beside them. `transport` is how they reach those on other machines, `memory` the same within one process.
//! `udp` is one of datagrams, `signed` is messages that say who signed them.

mod background;
mod channel;
mod memory;
#[cfg(feature = "signing")]
mod signed;
mod transport;
#[cfg(feature = "udp")]
mod udp;

pub use background::{BackgroundError, BackgroundMonitor, BackgroundSpawner};
pub use channel::{
    Closed, EventSender, EventSource, Promise, PromiseError, SubmitError, SubmitHandle, SubmitSource, SubscribeHandle,
    SubscribeSource, TrySendError, event, event_within, promise, submit, subscribe,
};
pub use memory::{AddrInUse, Memory, MemoryNetwork};
pub(crate) use memory::{Arrival, Carrier, Hub};
#[cfg(feature = "signing")]
pub use signed::{
    Algorithm, KeyError, KeyFileError, KeyId, KeyRing, MalformedError, MessageId, SignError, Signed, Signer,
    SigningKey, Verified, Verifier, VerifyError, VerifyingKey,
};
pub use transport::{Endpoint, Transport, TransportError};
#[cfg(feature = "udp")]
pub use udp::{DatagramCodec, Udp, UdpCounts, UdpMessage};
