//! The result, as it is printed.

use std::io::{self, Write};
use std::time::Duration;

use crate::TOP;
use crate::reporter::Tally;
use crate::shard::Summary;
use crate::words::{self, Counted};

/// A longer word is shown up to here.
const SHOWN: usize = 60;

/// The result of a run.
pub(crate) struct Report {
    pub(crate) tally: Tally,
    pub(crate) interrupted: bool,
    words: u64,
    distinct: usize,
    top: Vec<Counted>,
    time: Duration,
}

impl Report {
    /// Puts the shards' parts together.
    pub(crate) fn new(tally: Tally, shards: Vec<Summary>, time: Duration, interrupted: bool) -> Self {
        let words = shards.iter().map(|shard| shard.words).sum();
        // No word is in two shards.
        let distinct = shards.iter().map(|shard| shard.distinct).sum();
        let mut top: Vec<_> = shards.into_iter().flat_map(|shard| shard.top).collect();
        words::sort(&mut top);
        top.truncate(TOP);
        Self { tally, interrupted, words, distinct, top, time }
    }

    /// Writes the most frequent words, then the totals.
    pub(crate) fn write(&self, mut out: impl Write) -> io::Result<()> {
        for (word, count) in &self.top {
            writeln!(out, "{count:>12} {}", shown(word))?;
        }
        if !self.top.is_empty() {
            writeln!(out)?;
        }
        let Tally { found, counted, binary, unreadable, bytes } = self.tally;
        if self.interrupted {
            let left = found.saturating_sub(counted + binary + unreadable);
            writeln!(out, "interrupted: {left} of the files found were not or not wholly read")?;
        }
        // Bytes a microsecond.
        let rate = u128::from(bytes) / self.time.as_micros().max(1);
        writeln!(out, "files       {counted:>15}")?;
        writeln!(out, "words       {:>15}", self.words)?;
        writeln!(out, "distinct    {:>15}", self.distinct)?;
        writeln!(out, "binary      {binary:>15}")?;
        writeln!(out, "unreadable  {unreadable:>15}")?;
        writeln!(out, "bytes       {bytes:>15}")?;
        writeln!(out, "seconds     {:>15.3}  ({rate} MB/s)", self.time.as_secs_f64())
    }
}

/// A word as a terminal may see it.
fn shown(word: &[u8]) -> String {
    let text = String::from_utf8_lossy(word);
    let mut shown = String::new();
    for (number, character) in text.chars().enumerate() {
        if number == SHOWN {
            shown.push('…');
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}
