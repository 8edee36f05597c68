//! The state of a module as bytes: for its next incarnation, for a file, for another process (feature `snapshot`).
//!
//! Reading order: [`snapshot`] is what is taken and restored, [`frame`] turns it into bytes that tell when they are not whole, [`file`](mod@file) puts these on a disk,
//! [`hooks`] lies between it and a module's own methods, [`take`] asks a module for it, [`error`] is what can be wrong with any of it.

mod error;
mod file;
mod frame;
mod hooks;
#[allow(clippy::module_inception, reason = "a file is named after its main type")]
mod snapshot;
mod take;

pub use error::{SnapshotError, SnapshotFileError, TakeSnapshotError};
pub use hooks::{
    ReadState, StateError, Taken, WriteState, WrittenBy, answer_snapshot, snapshot_of, snapshot_or_error, state,
    written_by,
};
pub use snapshot::Snapshot;
pub use take::{SnapshotAsk, SnapshotFuture, Snapshots, TakeSnapshot};
