//! What travels to a module by name: bytes, their format, and their limits. Data only; this room knows no modules.
//!
//! Reading order: [`request`] is what is sent and what comes back, [`codec`] turns values into bytes and bytes into values, [`claims`] looks through what has come before anything
//! believes it, [`error`] is what can be wrong with it.

mod claims;
pub(crate) mod codec;
mod error;
mod request;

pub use codec::{Format, MAX_PAYLOAD};
pub use error::{PayloadError, ResponseError};
pub use request::{Request, Response};
