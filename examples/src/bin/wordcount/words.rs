//! Words and how often each was met.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

/// A word as the tables know it.
#[derive(Clone, Copy)]
pub(crate) struct Word<'a> {
    hash: u64,
    key: Key<'a>,
}

/// Most words that are met are short: those are numbers, and neither compared nor fetched byte by byte.
#[derive(Clone, Copy)]
enum Key<'a> {
    Short(u64),
    Long(&'a [u8]),
}

impl Key<'_> {
    fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Short(number) => {
                let [bytes @ .., length] = number.to_le_bytes();
                bytes[..usize::from(length)].to_vec()
            }
            Self::Long(bytes) => bytes.to_vec(),
        }
    }
}

impl Word<'_> {
    /// Which of `count` shards owns the word.
    pub(crate) fn shard(&self, count: usize) -> usize {
        // Bits from the middle: a table lives on those at both ends.
        let [_, _, _, low, high, ..] = self.hash.to_le_bytes();
        usize::from(u16::from_le_bytes([low, high])) % count
    }
}

/// Makes words of bytes. Its clones agree on the hashes, so that those are computed once on a word's way through the
/// modules.
#[derive(Clone, Default)]
pub(crate) struct WordMaker(DefaultHashBuilder);

impl WordMaker {
    pub(crate) fn word<'a>(&self, bytes: &'a [u8]) -> Word<'a> {
        if let Some(number) = short(bytes) {
            return Word { hash: hash_of(number), key: Key::Short(number) };
        }
        let mut hasher = self.0.build_hasher();
        hasher.write(bytes);
        Word { hash: hasher.finish(), key: Key::Long(bytes) }
    }
}

/// Up to seven bytes as a number, with their count as the eighth.
fn short(bytes: &[u8]) -> Option<u64> {
    let length = bytes.len();
    let number = match length {
        // Two halves that overlap have the same bits where they do.
        4..=7 => {
            let half = |bytes: Option<&[u8; 4]>| bytes.map(|half| u64::from(u32::from_le_bytes(*half)));
            half(bytes.first_chunk())? | half(bytes.last_chunk())? << (8 * (length - 4))
        }
        1..=3 => {
            let byte = |at: usize| u64::from(bytes[at]) << (8 * at);
            byte(0) | byte(length / 2) | byte(length - 1)
        }
        _ => return None,
    };
    Some(number | (length as u64) << 56)
}

/// A short word's hash: both halves of a product, so that each bit depends on all.
#[allow(clippy::cast_possible_truncation, reason = "a product has two halves")]
fn hash_of(number: u64) -> u64 {
    let product = u128::from(number) * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}

/// Words and how often each was met: what a reader fills, a message carries and a shard owns.
#[derive(Default)]
pub(crate) struct Words {
    short: HashTable<Short>,
    long: HashTable<Long>,
    /// All long words, one behind the other: they cost no allocation each.
    text: Vec<u8>,
}

struct Short {
    number: u64,
    count: u64,
}

struct Long {
    hash: u64,
    count: u64,
    start: usize,
    length: usize,
}

/// A word and how often it was met.
pub(crate) type Counted = (Vec<u8>, u64);

impl Words {
    /// Notes that `word` was met `count` times more.
    pub(crate) fn add(&mut self, word: Word<'_>, count: u64) {
        let Self { short, long, text } = self;
        let hash = word.hash;
        match word.key {
            Key::Short(number) => {
                if let Some(entry) = short.find_mut(hash, |entry| entry.number == number) {
                    entry.count += count;
                } else {
                    short.insert_unique(hash, Short { number, count }, |entry| hash_of(entry.number));
                }
            }
            Key::Long(bytes) => {
                let is_word = |entry: &Long| entry.hash == hash && text[entry.start..][..entry.length] == *bytes;
                if let Some(entry) = long.find_mut(hash, is_word) {
                    entry.count += count;
                } else {
                    let entry = Long { hash, count, start: text.len(), length: bytes.len() };
                    long.insert_unique(hash, entry, |entry| entry.hash);
                    text.extend_from_slice(bytes);
                }
            }
        }
    }

    /// Adds all that `other` has.
    pub(crate) fn merge(&mut self, other: &Self) {
        for entry in &other.short {
            self.add(Word { hash: hash_of(entry.number), key: Key::Short(entry.number) }, entry.count);
        }
        for entry in &other.long {
            self.add(Word { hash: entry.hash, key: Key::Long(other.long_word(entry)) }, entry.count);
        }
    }

    /// How many words were met, each as often as it was.
    pub(crate) fn total(&self) -> u64 {
        let short = self.short.iter().map(|entry| entry.count);
        short.chain(self.long.iter().map(|entry| entry.count)).sum()
    }

    /// How many different words were met.
    pub(crate) fn distinct(&self) -> usize {
        self.short.len() + self.long.len()
    }

    /// The `most` most frequent words; those met equally often by the alphabet.
    pub(crate) fn top(&self, most: usize) -> Vec<Counted> {
        let mut top = BTreeSet::new();
        let short = self.short.iter().map(|entry| (entry.count, Key::Short(entry.number)));
        let long = self.long.iter().map(|entry| (entry.count, Key::Long(self.long_word(entry))));
        let mut least = 0;
        for (count, key) in short.chain(long) {
            if count >= least {
                top.insert((Reverse(count), key.to_bytes()));
            }
            if top.len() > most {
                top.pop_last();
                least = top.last().map_or(0, |(Reverse(count), _)| *count);
            }
        }
        top.into_iter().map(|(Reverse(count), word)| (word, count)).collect()
    }

    fn long_word(&self, entry: &Long) -> &[u8] {
        &self.text[entry.start..][..entry.length]
    }
}

/// Sorts the most frequent words to the front; those met equally often by the alphabet.
pub(crate) fn sort(words: &mut [Counted]) {
    words.sort_unstable_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| a.cmp(b)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_words_are_one_and_the_most_frequent_come_first() {
        let maker = WordMaker::default();
        let mut words = Words::default();
        for word in "to be or not to be that is the remaining question, or remaining".split(' ') {
            words.add(maker.word(word.as_bytes()), 1);
        }
        let mut twice = Words::default();
        twice.merge(&words);
        twice.merge(&words);
        assert_eq!((twice.total(), twice.distinct()), (26, 9));
        let top = ["be", "or", "remaining", "to"].map(|word| (word.as_bytes().to_vec(), 4));
        assert_eq!(twice.top(4), top);
        assert_eq!(twice.top(100).len(), 9);
    }

    #[test]
    fn a_short_word_and_its_number_are_the_same() {
        let bytes: Vec<u8> = (0xf9..=0xff).collect();
        for length in 0..=8 {
            let word = &bytes[..length.min(7)];
            match short(&b"\xf9\xfa\xfb\xfc\xfd\xfe\xff\x00"[..length]) {
                Some(number) => assert_eq!(Key::Short(number).to_bytes(), word),
                None => assert!(length == 0 || length == 8),
            }
        }
    }

    #[test]
    fn different_words_of_one_hash_stay_apart() {
        let mut words = Words::default();
        words.add(Word { hash: 1, key: Key::Long(b"a-long-word") }, 2);
        words.add(Word { hash: 1, key: Key::Long(b"another-one") }, 3);
        assert_eq!(words.top(2), [(b"another-one".to_vec(), 3), (b"a-long-word".to_vec(), 2)]);
    }
}
