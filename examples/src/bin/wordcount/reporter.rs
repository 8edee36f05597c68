//! Says how far the others are, and keeps the tally of files.

use std::io;
use std::path::PathBuf;

use dms::prelude::*;
use indicatif::{ProgressBar, ProgressStyle};

/// Draws the progress on a terminal, names the files that are not counted, and keeps the tally.
#[module(name = "reporter", mailbox = 1024)]
pub(crate) struct Reporter {
    bar: ProgressBar,
    tally: Tally,
    /// Bytes of the files found so far, for the bar.
    found: u64,
}

/// What became of the files.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) found: u64,
    pub(crate) counted: u64,
    pub(crate) binary: u64,
    pub(crate) unreadable: u64,
    pub(crate) bytes: u64,
}

/// Why a file is not counted.
pub(crate) enum Uncounted {
    Binary,
    Unreadable(String),
}

impl From<io::Error> for Uncounted {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl Reporter {
    pub(crate) fn new() -> Self {
        // Hidden by itself where stderr is not a terminal.
        let bar = ProgressBar::new(0);
        let template = "{wide_bar} {bytes} of {total_bytes}, {binary_bytes_per_sec}, {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, tally: Tally::default(), found: 0 }
    }
}

#[module(visibility = "pub(crate)")]
impl Reporter {
    /// A file was found.
    #[handler(Found)]
    fn found(&mut self, bytes: u64) {
        self.tally.found += 1;
        self.found += bytes;
    }

    /// A piece of a file was counted.
    #[handler(Progress)]
    fn progress(&mut self, bytes: u64) {
        self.tally.bytes += bytes;
    }

    /// A file was counted to its end.
    #[handler(Done)]
    fn done(&mut self) {
        self.tally.counted += 1;
    }

    /// A file, or what cannot even be told to be one, is not counted.
    #[handler(Skip)]
    fn skip(&mut self, path: PathBuf, why: Uncounted) {
        let (count, why) = match why {
            Uncounted::Binary => (&mut self.tally.binary, "binary".to_owned()),
            Uncounted::Unreadable(error) => (&mut self.tally.unreadable, error),
        };
        *count += 1;
        self.bar.suspend(|| eprintln!("wordcount: skipped {}: {why}", path.display()));
    }

    /// What has been told so far; the bar goes.
    #[handler(TakeTally)]
    fn take_tally(&mut self) -> Tally {
        self.bar.finish_and_clear();
        self.tally
    }

    #[tick(every = "100ms")]
    fn draw(&mut self) {
        let message = format!("{} files", self.tally.counted);
        self.bar.update(|state| {
            state.set_len(self.found);
            state.set_pos(self.tally.bytes);
        });
        self.bar.set_message(message);
    }
}
