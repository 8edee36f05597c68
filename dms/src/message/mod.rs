//! What travels to a module by name: bytes, their format, and their limits. Data only; this room knows no modules.
//!
//! Reading order: [`request`] is what is sent and what comes back, [`codec`] turns values into bytes and bytes into values, [`claims`] looks through what has come before anything
//! believes it, `guarded` reads what anybody may have sent, as far as `guard` lets it, [`error`] is what can be wrong with it.

pub(crate) mod claims;
#[cfg(feature = "wire")]
pub(crate) mod codec;
#[cfg(feature = "wire")]
mod error;
#[cfg(feature = "udp")]
pub(crate) mod guard;
#[cfg(feature = "udp")]
pub(crate) mod guarded;
#[cfg(feature = "wire")]
mod request;

#[cfg(feature = "wire")]
pub use codec::{Format, MAX_PAYLOAD};
#[cfg(feature = "wire")]
pub use error::{PayloadError, ResponseError};
#[cfg(feature = "wire")]
pub use request::{Request, Response};
