//! What a word is: what `wc -w` of GNU coreutils counts.
//!
//! A word is what stands between white space, if at least one character of it can be printed. Without a UTF-8 locale,
//! white space is what ASCII calls so, and only ASCII can be printed. In one, the wide spaces of Unicode separate
//! words too, those that do not break among them; what is not valid UTF-8 is neither white space nor printable.
//!
//! That is coreutils 9.1. More recent versions take all that is not white space for a word, be it printable or not.
//! One more difference remains: what Unicode has not made a character yet is printable here, and not to the C
//! library.

use std::env;

/// A longer word counts under its first so many bytes, so that a file without any space needs no more memory than
/// others.
const LONGEST: usize = 1024;

/// So many bytes of a word are kept while its end has not been seen.
const PATIENCE: usize = 64 * LONGEST;

/// What a text's bytes mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    Ascii,
    Utf8,
}

impl Charset {
    /// That of the locale, as the environment has it.
    pub(crate) fn of_environment() -> Self {
        let set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let name = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(set);
        let locale = name.and_then(env::var_os).unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if locale.contains("utf-8") || locale.contains("utf8") { Self::Utf8 } else { Self::Ascii }
    }
}

/// What a byte is, as bits: a run of bytes is the union of its bytes'.
const SPACE: u8 = 1;
const PRINTABLE: u8 = 2;
const WIDE: u8 = 4;

const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        class[byte] = match byte {
            0x09..=0x0d | 0x20 => SPACE,
            0x21..=0x7e => PRINTABLE,
            0x80..=0xff => WIDE,
            _ => 0,
        };
        byte += 1;
    }
    class
};

fn class(byte: u8) -> u8 {
    CLASS[usize::from(byte)]
}

/// Splits a text that comes in pieces into words; where the pieces meet makes no difference.
pub(crate) struct Splitter {
    charset: Charset,
    /// The run between spaces that the last piece ended in; its middle is missing if it is long.
    open: Vec<u8>,
    /// Whether something printable was in what is missing.
    printed: bool,
}

impl Splitter {
    pub(crate) fn new(charset: Charset) -> Self {
        Self { charset, open: Vec::new(), printed: false }
    }

    /// Calls `word` with each word that ends in this piece of the text.
    pub(crate) fn split(&mut self, text: &[u8], mut word: impl FnMut(&[u8])) {
        let mut at = 0;
        if self.printed || !self.open.is_empty() {
            at = text.iter().position(|byte| class(*byte) == SPACE).unwrap_or(text.len());
            self.keep(&text[..at], &mut word);
            if at == text.len() {
                return;
            }
            self.finish(&mut word);
        }
        while at < text.len() {
            let start = at;
            let mut seen = 0;
            while at < text.len() && class(text[at]) != SPACE {
                seen |= class(text[at]);
                at += 1;
            }
            let run = &text[start..at];
            if at == text.len() {
                self.keep(run, &mut word);
            } else if seen & WIDE != 0 && self.charset == Charset::Utf8 {
                wide_words(run, false, &mut word);
            } else if seen & PRINTABLE != 0 {
                word(&run[..run.len().min(LONGEST)]);
            }
            at += 1;
        }
    }

    /// Ends the text.
    pub(crate) fn finish(&mut self, mut word: impl FnMut(&[u8])) {
        match self.charset {
            Charset::Ascii if self.printed || is_printable(&self.open) => {
                word(&self.open[..self.open.len().min(LONGEST)]);
            }
            Charset::Ascii => {}
            Charset::Utf8 => wide_words(&self.open, self.printed, word),
        }
        self.open.clear();
        self.printed = false;
    }

    /// Keeps the end of a piece until the next one comes.
    fn keep(&mut self, run: &[u8], word: &mut impl FnMut(&[u8])) {
        self.open.extend_from_slice(run);
        if self.open.len() > PATIENCE {
            match self.charset {
                Charset::Ascii => {
                    self.printed |= is_printable(&self.open);
                    self.open.truncate(LONGEST);
                }
                Charset::Utf8 => self.cut_wide(word),
            }
        }
    }

    /// Gives the words that have ended, and cuts the middle out of the one that has not.
    fn cut_wide(&mut self, word: &mut impl FnMut(&[u8])) {
        // The last bytes may be the beginning of a character.
        let whole = self.open.len() - self.open.utf8_chunks().last().map_or(0, |chunk| chunk.invalid().len());
        let (last, printed) = each_wide(&self.open[..whole], self.printed, |part, printed| {
            if printed {
                word(&part[..part.len().min(LONGEST)]);
            }
        });
        // What is kept ends with a character, so that no other comes about where the middle is cut out.
        let start = &last[..last.len().min(LONGEST)];
        let mut kept = start.utf8_chunks().next().map_or("", |chunk| chunk.valid()).as_bytes().to_vec();
        kept.extend_from_slice(&self.open[whole..]);
        self.open = kept;
        self.printed = printed;
    }
}

fn is_printable(run: &[u8]) -> bool {
    run.iter().any(|byte| class(*byte) == PRINTABLE)
}

/// Calls `word` with each word of a run without ASCII space; the first may have been `printed` in part before.
fn wide_words(run: &[u8], printed: bool, mut word: impl FnMut(&[u8])) {
    let mut give = |part: &[u8], printed: bool| {
        if printed {
            word(&part[..part.len().min(LONGEST)]);
        }
    };
    let (last, printed) = each_wide(run, printed, &mut give);
    give(last, printed);
}

/// Calls `part` with what stands before each wide space, and whether it is printable; returns what is behind the last.
fn each_wide(run: &[u8], mut printed: bool, mut part: impl FnMut(&[u8], bool)) -> (&[u8], bool) {
    let (mut start, mut at) = (0, 0);
    for chunk in run.utf8_chunks() {
        for character in chunk.valid().chars() {
            let end = at;
            at += character.len_utf8();
            match character {
                // Line and paragraph separator: white space that cannot be printed is neither.
                '\u{2028}' | '\u{2029}' => {}
                '\u{2060}' => (start, printed) = close(&run[start..end], at, printed, &mut part),
                _ if character.is_control() => {}
                _ if character.is_whitespace() => (start, printed) = close(&run[start..end], at, printed, &mut part),
                _ => printed = true,
            }
        }
        at += chunk.invalid().len();
    }
    (&run[start..], printed)
}

fn close(word: &[u8], next: usize, printed: bool, part: &mut impl FnMut(&[u8], bool)) -> (usize, bool) {
    part(word, printed);
    (next, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(charset: Charset, pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut splitter = Splitter::new(charset);
        let mut words = Vec::new();
        for piece in pieces {
            splitter.split(piece, |word| words.push(word.to_vec()));
        }
        splitter.finish(|word| words.push(word.to_vec()));
        words
    }

    #[test]
    fn white_space_separates_and_what_cannot_be_printed_is_no_word() {
        let text: &[u8] = b" a\tb\x0bc\x0c\r\nd\x01e \x02 \x7f \xff f\xff";
        for charset in [Charset::Ascii, Charset::Utf8] {
            assert_eq!(split(charset, &[text]), [&b"a"[..], b"b", b"c", b"d\x01e", b"f\xff"]);
        }
    }

    #[test]
    fn wide_characters_count_in_a_utf8_locale() {
        let text = "один\u{a0}два\u{2003}три\u{2060}\u{2028}\u{85} \u{2014} 世界";
        assert_eq!(split(Charset::Utf8, &[text.as_bytes()]).len(), 5);
        assert_eq!(split(Charset::Ascii, &[text.as_bytes()]).len(), 0);
    }

    #[test]
    fn where_pieces_meet_makes_no_difference() {
        let text = "один\u{a0}два\u{2003} abc \u{2060}три".as_bytes();
        let whole = split(Charset::Utf8, &[text]);
        assert_eq!(whole.len(), 4);
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(split(Charset::Utf8, &pieces), whole);
            }
        }
    }

    #[test]
    fn a_word_without_end_takes_little_memory_and_counts_once() {
        for charset in [Charset::Ascii, Charset::Utf8] {
            let mut splitter = Splitter::new(charset);
            let mut words = 0;
            for _ in 0..100 {
                // The pieces cut the two bytes of `ю` in half.
                splitter.split(&[b"x".repeat(99_999).as_slice(), b"\xd1"].concat(), |_| words += 1);
                splitter.split(&[b"\x8e".as_slice(), &b"\x01".repeat(99_999)].concat(), |_| words += 1);
                assert!(splitter.open.capacity() < 1 << 20);
            }
            splitter.finish(|word| {
                assert_eq!(word.len(), LONGEST);
                words += 1;
            });
            assert_eq!(words, 1);
        }
    }

    #[test]
    fn wide_spaces_separate_also_where_no_other_space_is() {
        let text = "ab\u{3000}".repeat(100_000);
        assert_eq!(split(Charset::Utf8, &text.as_bytes().chunks(1000).collect::<Vec<_>>()).len(), 100_000);
    }
}
