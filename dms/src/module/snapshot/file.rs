//! Snapshots in files, each of which is whole at any moment.
//!
//! A file is written beside the one that it replaces, and takes its name once it lies on the disk. Whoever is cut off before that leaves the old file as it was, and
//! a temporary one that is in nobody's way.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::spawn_blocking;

use super::error::SnapshotFileError;
use super::snapshot::Snapshot;

impl Snapshot {
    /// Saves it to a file, instead of the one that may be there. Whatever happens meanwhile, be it that the machine loses power, the file is either the old one or the new
    /// one, and whole; when this returns it is the new one, and on the disk.
    ///
    /// The work is done on a thread of Tokio's blocking pool; outside of a runtime there is [`blocking_save`](Self::blocking_save).
    ///
    /// # Errors
    /// The file cannot be written; one that was there is as it was. Or it is written and takes the other one's place, and cannot be kept from a loss of power:
    /// [`SnapshotFileError::FolderNotSynced`].
    ///
    /// # Cancel safety
    /// Once polled the snapshot is saved, whether or not this is awaited to its end.
    pub async fn save(&self, path: impl AsRef<Path>) -> Result<(), SnapshotFileError> {
        let (snapshot, path) = (self.clone(), path.as_ref().to_owned());
        in_background(path, move |path| snapshot.blocking_save(path), write_error).await
    }

    /// Loads the snapshot that a file holds.
    ///
    /// The work is done on a thread of Tokio's blocking pool; outside of a runtime there is [`blocking_load`](Self::blocking_load).
    ///
    /// # Errors
    /// The file cannot be read, or holds no snapshot, or not a whole one.
    ///
    /// # Cancel safety
    /// Cancel safe: it only reads.
    pub async fn load(path: impl AsRef<Path>) -> Result<Self, SnapshotFileError> {
        in_background(path.as_ref().to_owned(), |path| Self::blocking_load(path), read_error).await
    }

    /// As [`save`](Self::save), on the calling thread, which it blocks.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn blocking_save(&self, path: impl AsRef<Path>) -> Result<(), SnapshotFileError> {
        let path = path.as_ref();
        let temporary =
            Temporary::write(path, &self.to_bytes()).map_err(|source| write_error(path.to_owned(), source))?;
        temporary.replace(path)
    }

    /// As [`load`](Self::load), on the calling thread, which it blocks.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn blocking_load(path: impl AsRef<Path>) -> Result<Self, SnapshotFileError> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|source| read_error(path.to_owned(), source))?;
        Self::from_bytes(&bytes).map_err(|source| SnapshotFileError::Broken { path: path.to_owned(), source })
    }
}

fn write_error(path: PathBuf, source: io::Error) -> SnapshotFileError {
    SnapshotFileError::Write { path, source }
}

fn read_error(path: PathBuf, source: io::Error) -> SnapshotFileError {
    SnapshotFileError::Read { path, source }
}

/// Runs the work where it may block.
async fn in_background<R: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce(&Path) -> Result<R, SnapshotFileError> + Send + 'static,
    error: fn(PathBuf, io::Error) -> SnapshotFileError,
) -> Result<R, SnapshotFileError> {
    let its_path = path.clone();
    #[expect(clippy::disallowed_methods, reason = "it is awaited here")]
    let worked = spawn_blocking(move || work(&its_path)).await;
    match worked {
        Ok(result) => result,
        // The runtime is going down, and took the work no more.
        Err(not_run) => Err(error(path, io::Error::other(not_run))),
    }
}

/// A file that is to take another one's place, and lies on the disk whole. It is removed where it comes to nothing.
struct Temporary {
    path: PathBuf,
    /// The folder of both.
    folder: PathBuf,
    is_needed: bool,
}

impl Temporary {
    /// Writes a file beside the one at `path`.
    fn write(path: &Path, bytes: &[u8]) -> io::Result<Self> {
        let Some(name) = path.file_name() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name at its end"));
        };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let (temporary, mut file) = Self::create(&folder, &name.to_string_lossy())?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(temporary)
    }

    /// Makes a file of a name that nothing has.
    fn create(folder: &Path, name: &str) -> io::Result<(Self, File)> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".{name}.{}-{number}.tmp", process::id()));
            match File::create_new(&path) {
                Ok(file) => return Ok((Self { path, folder: folder.to_owned(), is_needed: false }, file)),
                // A process that had the same number was cut off.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives it the name of the file that it replaces, for good.
    fn replace(mut self, path: &Path) -> Result<(), SnapshotFileError> {
        fs::rename(&self.path, path).map_err(|source| write_error(path.to_owned(), source))?;
        self.is_needed = true;
        sync_folder(&self.folder).map_err(|source| SnapshotFileError::FolderNotSynced { path: path.to_owned(), source })
    }
}

/// Has the names in a folder written to the disk. Elsewhere than on Unix folders are no files.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_needed {
            // Whoever saves hears of the error that came before.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Version;

    fn snapshot(count: u64) -> Snapshot {
        let version = Version { major: 1, minor: 0, patch: 0 };
        Snapshot::new("counter", "Counter", version, &count).expect("it can be written")
    }

    fn loaded(path: &Path) -> u64 {
        let snapshot = Snapshot::blocking_load(path).expect("a snapshot");
        snapshot.decode().expect("a number")
    }

    #[test]
    fn the_old_file_is_whole_until_the_new_one_has_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("counter.snapshot");
        snapshot(41).blocking_save(&path).expect("it is saved");

        // A process that is cut off here removes nothing.
        let temporary = Temporary::write(&path, &snapshot(42).to_bytes()).expect("it is written");
        assert_eq!(loaded(&path), 41);
        assert_eq!(loaded(&temporary.path), 42, "all of it is there before it gets its name");
        std::mem::forget(temporary);

        snapshot(43).blocking_save(&path).expect("what was left behind is in nobody's way");
        assert_eq!(loaded(&path), 43);
    }

    #[test]
    fn a_file_that_is_replaced_without_the_folder_on_the_disk_is_said_to_be() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("counter.snapshot");
        snapshot(41).blocking_save(&path).expect("it is saved");
        let mut temporary = Temporary::write(&path, &snapshot(42).to_bytes()).expect("it is written");
        temporary.folder = folder.path().join("gone");
        let error = temporary.replace(&path).expect_err("there is no such folder");
        assert!(cfg!(not(unix)) || matches!(error, SnapshotFileError::FolderNotSynced { .. }), "{error:?}");
        assert_eq!(loaded(&path), 42);
    }

    #[test]
    fn a_file_that_comes_to_nothing_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("counter.snapshot");
        fs::create_dir(&path).expect("a folder in the file's place");
        let error = snapshot(42).blocking_save(&path).expect_err("a folder is in its place");
        assert!(error.to_string().contains("counter.snapshot"), "{error}");
        let left: Vec<_> = fs::read_dir(&folder).expect("a folder").collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}
