//! Messages that say who signed them (feature `signing`).
//!
//! A [`Signer`] turns a message into a [`Signed<M>`], which is what travels. Nothing of its payload can be reached there: only a [`Verifier`] turns it into a
//! [`Verified<M>`], having found the key in its [`KeyRing`], verified the very bytes that it then decodes, looked at the time, and made sure that the message has not been here before.
//!
//! Reading order: [`key`] is what signs and verifies, [`signed_message`] is the form on the wire, [`signer`] makes it, [`key_ring`] says whose keys are trusted, [`replay`] remembers what
//! was here, [`verifier`] puts these together, [`verified`] is what comes out, [`key_file`] keeps keys on a disk, [`error`] is what can be wrong.

mod error;
mod key;
mod key_file;
mod key_ring;
mod replay;
mod signed_message;
mod signer;
mod verified;
mod verifier;

pub use error::{KeyError, KeyFileError, MalformedError, SignError, VerifyError};
pub use key::{Algorithm, KeyId, SigningKey, VerifyingKey};
pub use key_ring::KeyRing;
pub use signed_message::{MessageId, Signed};
pub use signer::Signer;
pub use verified::Verified;
pub use verifier::Verifier;
