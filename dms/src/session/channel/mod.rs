//! Channels between sessions, thin over Tokio's.
//!
//! [`event`](mod@event) has many senders, and one loop that takes what comes; [`promise`](mod@promise) is one value to come; [`submit`](mod@submit) is a request with a reply,
//! [`subscribe`](mod@subscribe) one with a stream of them.

mod error;
mod event;
mod promise;
mod submit;
mod subscribe;

pub use error::{Closed, PromiseError, SubmitError, TrySendError};
pub use event::{EventSender, EventSource, event, event_within};
pub use promise::{Promise, promise};
pub use submit::{SubmitHandle, SubmitSource, submit};
pub use subscribe::{SubscribeHandle, SubscribeSource, subscribe};
