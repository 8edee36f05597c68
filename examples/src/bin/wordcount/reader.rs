//! Reads files and counts their words.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dms::prelude::*;

use crate::reporter::{Done, Progress, Reporter, Skip, Uncounted};
use crate::shard::{Batch, Shard};
use crate::splitter::{Charset, Splitter};
use crate::words::{WordMaker, Words};

/// Files are read in pieces of so many bytes.
const PIECE: usize = 256 * 1024;

/// A NUL among so many first bytes makes a file binary.
const HEAD: usize = 8 * 1024;

/// A shard gets a batch when so many different words have come together for it.
const BATCH: usize = 56 * 1024;

/// Reads files and counts their words, on a thread for blocking work.
#[module(mailbox = 8)]
pub(crate) struct Reader {
    /// Away while a file is read.
    desk: Option<Box<Desk>>,
}

impl Reader {
    pub(crate) fn new(desk: Desk) -> Self {
        Self { desk: Some(Box::new(desk)) }
    }
}

#[module(visibility = "pub(crate)")]
impl Reader {
    /// Counts the words of a file. It returns when that is done, so that what comes behind waits in the mailbox, and
    /// behind that the walker.
    #[handler(Count)]
    async fn count(&mut self, path: PathBuf) {
        let Some(mut desk) = self.desk.take() else { return };
        let counting = tokio::task::spawn_blocking(move || {
            desk.count(path);
            desk
        });
        match counting.await {
            Ok(desk) => self.desk = Some(desk),
            Err(error) => {
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }

    /// Gives the shards the rest of what has been counted.
    #[stop]
    async fn stop(&mut self) -> Result<(), ModuleError> {
        for (shard, words) in self.desk.take().into_iter().flat_map(|desk| desk.counts.shards) {
            shard.send(Batch(words)).await?;
        }
        Ok(())
    }
}

/// What reading takes.
pub(crate) struct Desk {
    buffer: Vec<u8>,
    counts: Counts,
    reporter: ModuleRef<Reporter>,
    interrupted: Arc<AtomicBool>,
}

impl Desk {
    pub(crate) fn new(counts: Counts, reporter: ModuleRef<Reporter>, interrupted: Arc<AtomicBool>) -> Self {
        Self { buffer: vec![0; PIECE], counts, reporter, interrupted }
    }

    /// Counts a file. That the reporter or a shard is gone is found out when it is asked for its part of the result.
    fn count(&mut self, path: PathBuf) {
        let end = self.read(&path);
        self.counts.end_of_file();
        match end {
            Ok(true) => drop(self.reporter.blocking_send(Done)),
            Ok(false) => {}
            Err(why) => drop(self.reporter.blocking_send(Skip { path, why })),
        }
    }

    /// Counts a file piece by piece; false if it was interrupted before the end.
    fn read(&mut self, path: &Path) -> Result<bool, Uncounted> {
        let mut file = File::open(path)?;
        let mut is_head = true;
        while !self.interrupted.load(Ordering::Relaxed) {
            let length = fill(&mut file, &mut self.buffer)?;
            let text = &self.buffer[..length];
            if text.is_empty() {
                return Ok(true);
            }
            if mem::take(&mut is_head) && text[..length.min(HEAD)].contains(&0) {
                return Err(Uncounted::Binary);
            }
            self.counts.add(text);
            drop(self.reporter.blocking_send(Progress { bytes: length as u64 }));
        }
        Ok(false)
    }
}

/// What has been counted and is not with the shards yet.
pub(crate) struct Counts {
    splitter: Splitter,
    maker: WordMaker,
    shards: Vec<(ModuleRef<Shard>, Words)>,
}

impl Counts {
    pub(crate) fn new(charset: Charset, maker: WordMaker, shards: &Pool<Shard>) -> Self {
        let shards = shards.members().iter().map(|shard| (shard.clone(), Words::default())).collect();
        Self { splitter: Splitter::new(charset), maker, shards }
    }

    fn add(&mut self, text: &[u8]) {
        let Self { splitter, maker, shards } = self;
        splitter.split(text, |word| note(maker, shards, word));
        for (shard, words) in shards {
            if words.distinct() >= BATCH {
                drop(shard.blocking_send(Batch(mem::take(words))));
            }
        }
    }

    fn end_of_file(&mut self) {
        let Self { splitter, maker, shards } = self;
        splitter.finish(|word| note(maker, shards, word));
    }
}

/// Counts a word for the shard that owns it.
fn note(maker: &WordMaker, shards: &mut [(ModuleRef<Shard>, Words)], word: &[u8]) {
    let word = maker.word(word);
    let shard = word.shard(shards.len());
    shards[shard].1.add(word, 1);
}

/// Reads until the buffer is full or the file ends. What comes before an error is returned without it, and the error
/// the next time.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) if length > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
