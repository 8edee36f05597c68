//! Owns the counts of its part of all words.

use dms::prelude::*;

use crate::words::{Counted, Words};

/// Owns the counts of the words whose hashes are its own.
#[module(mailbox = 4)]
#[derive(Default)]
pub(crate) struct Shard {
    words: Words,
}

/// What a shard has.
pub(crate) struct Summary {
    pub(crate) words: u64,
    pub(crate) distinct: usize,
    pub(crate) top: Vec<Counted>,
}

/// What a reader has counted since its last batch.
pub(crate) struct Batch(pub(crate) Words);

#[module(visibility = "pub(crate)")]
impl Shard {
    #[handler]
    fn merge(&mut self, Batch(words): Batch) {
        self.words.merge(&words);
    }

    /// What has been counted, and the `most` most frequent words.
    #[handler(Summarize)]
    fn summarize(&self, most: usize) -> Summary {
        Summary { words: self.words.total(), distinct: self.words.distinct(), top: self.words.top(most) }
    }
}
