//! Words and how often each was met.

use std::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

/// Hashes words; its clones agree, so that a word's hash is computed once on its way through the modules.
#[derive(Clone, Default)]
pub(crate) struct WordHasher(DefaultHashBuilder);

impl WordHasher {
    pub(crate) fn hash(&self, word: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(word);
        hasher.finish()
    }
}

/// Words and how often each was met: what a reader fills, a message carries and a shard owns.
#[derive(Default)]
pub(crate) struct Words {
    /// All words, one behind the other: they cost no allocation each.
    text: Vec<u8>,
    table: HashTable<Entry>,
}

struct Entry {
    hash: u64,
    count: u64,
    start: usize,
    length: usize,
}

/// A word and how often it was met.
pub(crate) type Counted = (Vec<u8>, u64);

impl Words {
    /// Notes that `word` was met `count` times more.
    pub(crate) fn add(&mut self, hash: u64, word: &[u8], count: u64) {
        let Self { text, table } = self;
        let is_word = |entry: &Entry| entry.hash == hash && text[entry.start..][..entry.length] == *word;
        if let Some(entry) = table.find_mut(hash, is_word) {
            entry.count += count;
        } else {
            let entry = Entry { hash, count, start: text.len(), length: word.len() };
            table.insert_unique(hash, entry, |entry| entry.hash);
            text.extend_from_slice(word);
        }
    }

    /// Adds all that `other` has.
    pub(crate) fn merge(&mut self, other: &Self) {
        for entry in &other.table {
            self.add(entry.hash, other.word(entry), entry.count);
        }
    }

    /// How many words were met, each as often as it was.
    pub(crate) fn total(&self) -> u64 {
        self.table.iter().map(|entry| entry.count).sum()
    }

    /// How many different words were met.
    pub(crate) fn distinct(&self) -> usize {
        self.table.len()
    }

    /// The `most` most frequent words; those met equally often by the alphabet.
    pub(crate) fn top(&self, most: usize) -> Vec<Counted> {
        let mut entries: Vec<_> = self.table.iter().collect();
        if entries.len() > most {
            entries.select_nth_unstable_by_key(most, |entry| (u64::MAX - entry.count, self.word(entry)));
            entries.truncate(most);
        }
        let mut top: Vec<_> = entries.into_iter().map(|entry| (self.word(entry).to_vec(), entry.count)).collect();
        sort(&mut top);
        top
    }

    fn word(&self, entry: &Entry) -> &[u8] {
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
        let hasher = WordHasher::default();
        let mut words = Words::default();
        for word in "to be or not to be that is the question".split(' ') {
            words.add(hasher.hash(word.as_bytes()), word.as_bytes(), 1);
        }
        let mut twice = Words::default();
        twice.merge(&words);
        twice.merge(&words);
        assert_eq!((twice.total(), twice.distinct()), (20, 8));
        assert_eq!(twice.top(3), [(b"be".to_vec(), 4), (b"to".to_vec(), 4), (b"is".to_vec(), 2)]);
        assert_eq!(twice.top(100).len(), 8);
    }

    #[test]
    fn different_words_of_one_hash_stay_apart() {
        let mut words = Words::default();
        words.add(1, b"a", 2);
        words.add(1, b"b", 3);
        assert_eq!(words.top(2), [(b"b".to_vec(), 3), (b"a".to_vec(), 2)]);
    }
}
