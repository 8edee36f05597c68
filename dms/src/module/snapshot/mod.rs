//! The state of a module as bytes: for its next incarnation, for a file, for another process (feature `snapshot`).
//!
//! Reading order: [`snapshot`] is what is taken and restored, [`frame`] turns it into bytes that tell when they are not whole, [`file`](mod@file) puts these on a disk,
//! [`error`] is what can be wrong with any of it.

mod error;
mod file;
mod frame;
#[allow(clippy::module_inception, reason = "a file is named after its main type")]
mod snapshot;

pub use error::{SnapshotError, SnapshotFileError};
pub use snapshot::Snapshot;
