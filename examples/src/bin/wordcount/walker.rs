//! Finds the files.

use std::path::{Path, PathBuf};

use dms::prelude::*;
use ignore::WalkBuilder;
use tokio::runtime::Handle;

use crate::reader::{Count, Reader};
use crate::reporter::{Found, Reporter, Skip, Uncounted};

/// Finds the files below a path, as git sees them: what a `.gitignore` names is left out, and so is `.git`.
#[module(name = "walker")]
pub(crate) struct Walker {
    pub(crate) readers: Pool<Reader>,
    pub(crate) reporter: ModuleRef<Reporter>,
}

#[module(visibility = "pub(crate)")]
impl Walker {
    /// Sends every file below `root` to a reader; replies when the last is sent.
    #[handler(Walk)]
    async fn walk(&mut self, root: PathBuf) -> Result<(), tokio::task::JoinError> {
        let (readers, reporter) = (self.readers.clone(), self.reporter.clone());
        tokio::task::spawn_blocking(move || Handle::current().block_on(walk(&root, &readers, &reporter))).await
    }
}

/// Walks, on a thread where that may block. It ends early when the readers have been stopped.
async fn walk(root: &Path, readers: &Pool<Reader>, reporter: &ModuleRef<Reporter>) {
    let entries = WalkBuilder::new(root)
        .hidden(false)
        .ignore(false)
        .require_git(false)
        .filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git")
        .build();
    for entry in entries {
        let told = match entry {
            Ok(entry) => {
                // A link's target is counted where it is, and a pipe has no end.
                let is_file = if entry.depth() == 0 {
                    root.is_file()
                } else {
                    entry.file_type().is_some_and(|kind| kind.is_file())
                };
                if !is_file {
                    continue;
                }
                let bytes = entry.metadata().map_or(0, |metadata| metadata.len());
                let found = reporter.send(Found { bytes }).await.is_ok();
                found && readers.send(Count { path: entry.into_path() }).await.is_ok()
            }
            Err(error) => {
                let (path, why) = unreadable(&error, root);
                reporter.send(Skip { path, why }).await.is_ok()
            }
        };
        if !told {
            return;
        }
    }
}

/// What cannot be walked, and why not.
fn unreadable(error: &ignore::Error, root: &Path) -> (PathBuf, Uncounted) {
    match error {
        ignore::Error::WithPath { path, err } => (path.clone(), unreadable(err, root).1),
        ignore::Error::WithDepth { err, .. } => unreadable(err, root),
        error => {
            // The error itself names the path again.
            let why = error.io_error().map_or_else(|| error.to_string(), |error| error.kind().to_string());
            (root.to_owned(), Uncounted::Unreadable(why))
        }
    }
}
