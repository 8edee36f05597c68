//! What can be wrong with a snapshot.

use std::io;
use std::path::PathBuf;

use crate::module::error::AskError;
use crate::module::info::Version;

/// A snapshot cannot be made of a state, or of bytes; or no state of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The `#[snapshot]` method returned an error.
    #[error("module `{module}` gave no snapshot: {text}")]
    Refused {
        /// The module's name.
        module: String,
        /// The error and its causes.
        text: String,
    },
    /// The state has no form in MessagePack.
    #[error("the state of module `{module}` cannot be written as MessagePack: {reason}")]
    Unwritable {
        /// The module's name.
        module: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The state is not of the type that is wanted.
    #[error(
        "the state that module `{module}` {version} wrote cannot be read as a `{wanted}`: {reason}; let `#[restore]` take a type that can be read from both, with `Option` or `#[serde(default)]` for what is new"
    )]
    Unreadable {
        /// The name of the module that wrote it.
        module: String,
        /// The version of the module that wrote it.
        version: Version,
        /// The type that it was to be.
        wanted: &'static str,
        /// What is wrong, and where.
        reason: String,
    },
    /// The bytes do not begin as a snapshot does.
    #[error("these bytes are no snapshot: they do not begin with `dms-snap`")]
    NotASnapshot,
    /// They are a snapshot of another format, as a later version of dms may write.
    #[error("the snapshot is written in format {found}, and this version of dms reads format {known}: update dms")]
    UnknownFormat {
        /// The number of the format.
        found: u16,
        /// The number of the format that can be read.
        known: u16,
    },
    /// The end is missing.
    #[error("the snapshot is cut off: of {expected} bytes there are {found}")]
    Truncated {
        /// How many bytes there should be; of what is too short to say so, how many at least.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// There is something behind the end.
    #[error("{extra} bytes follow the end of the snapshot")]
    Trailing {
        /// How many bytes.
        extra: u64,
    },
    /// The bytes are not those that were written.
    #[error("the snapshot is damaged: its checksum is {computed:08x}, and {written:08x} was written")]
    Checksum {
        /// The checksum that was written.
        written: u32,
        /// The checksum of what is there.
        computed: u32,
    },
    /// The bytes are whole, and yet nothing that dms writes.
    #[error("the snapshot was not written by dms: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
}

/// A snapshot was not saved to a file, or not loaded from one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotFileError {
    /// The file was not written. One that was there before is there still, whole.
    #[error("the snapshot was not saved to `{}`", .path.display())]
    Write {
        /// The file's path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file was written, and the one that was there replaced; but whether that outlasts a loss of power is unknown.
    #[error(
        "the snapshot was saved to `{}`, but its folder may not be on the disk yet: save it again to be sure",
        .path.display()
    )]
    FolderNotSynced {
        /// The file's path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file was not read.
    #[error("no snapshot was read from `{}`", .path.display())]
    Read {
        /// The file's path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was read is no snapshot, or a damaged one.
    #[error("`{}` holds no snapshot that can be restored", .path.display())]
    Broken {
        /// The file's path.
        path: PathBuf,
        /// What is wrong with it.
        source: SnapshotError,
    },
}

/// No snapshot of a module was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TakeSnapshotError {
    /// The module did not answer.
    #[error(transparent)]
    Unanswered(#[from] AskError),
    /// Its state did not become a snapshot.
    #[error(transparent)]
    NotTaken(#[from] SnapshotError),
}
