//! Bytes of a pipe as lines or frames, each within a bound.

use std::io;

use bytes::{Buf, BytesMut};
use tokio_util::codec::{Decoder, LengthDelimitedCodec, LinesCodec, LinesCodecError};

use super::stream::StreamError;

/// Takes one thing after the other out of what has come by a pipe.
pub(super) trait Split: Send + 'static {
    type Item: Send;

    /// The next one, if it is whole; what is wrong with it is told once, and asking goes on behind it. `at_end` says that nothing more comes.
    fn next(&mut self, buffer: &mut BytesMut, at_end: bool) -> Result<Option<Self::Item>, StreamError>;
}

/// Lines of text, the last one also without its end.
pub(super) struct Lines {
    codec: LinesCodec,
    limit: usize,
}

impl Lines {
    pub(super) fn new(limit: usize) -> Self {
        Self { codec: LinesCodec::new_with_max_length(limit), limit }
    }
}

impl Split for Lines {
    type Item = String;

    fn next(&mut self, buffer: &mut BytesMut, at_end: bool) -> Result<Option<String>, StreamError> {
        let line = if at_end { self.codec.decode_eof(buffer) } else { self.codec.decode(buffer) };
        line.map_err(|error| match error {
            LinesCodecError::MaxLineLengthExceeded => StreamError::TooLong { limit: self.limit },
            // It reads nothing itself.
            LinesCodecError::Io(_) => StreamError::NotUtf8,
        })
    }
}

/// Frames: a length of 4 bytes, the highest first, and so many bytes.
pub(super) struct Frames {
    codec: LengthDelimitedCodec,
    limit: usize,
    /// Whether the length has been read, and the rest has not come.
    within: bool,
}

impl Frames {
    pub(super) fn new(limit: usize) -> Self {
        let codec = LengthDelimitedCodec::builder().length_field_type::<u32>().max_frame_length(limit).new_codec();
        Self { codec, limit, within: false }
    }
}

impl Split for Frames {
    type Item = BytesMut;

    fn next(&mut self, buffer: &mut BytesMut, at_end: bool) -> Result<Option<BytesMut>, StreamError> {
        let header = buffer.first_chunk().map(|header| u32::from_be_bytes(*header));
        match self.codec.decode(buffer) {
            Ok(Some(frame)) => {
                self.within = false;
                Ok(Some(frame))
            }
            Ok(None) if at_end && (self.within || !buffer.is_empty()) => {
                let header = if self.within || header.is_some() { size_of::<u32>() } else { 0 };
                let bytes = buffer.len() + header;
                buffer.clear();
                self.within = false;
                Err(StreamError::Truncated { bytes })
            }
            Ok(None) => {
                self.within = self.within || header.is_some();
                Ok(None)
            }
            Err(_) => {
                let length = header.unwrap_or_default().into();
                buffer.clear();
                Err(StreamError::FrameTooLong { length, limit: self.limit })
            }
        }
    }
}

/// Lines for people: what is not UTF-8 is replaced, and what is too long is cut.
pub(super) struct LossyLines {
    limit: usize,
    /// Whether the rest of a line that was cut is still to come.
    skips: bool,
    /// How much of the buffer has no end of a line in it.
    searched: usize,
}

impl LossyLines {
    pub(super) const fn new(limit: usize) -> Self {
        Self { limit, skips: false, searched: 0 }
    }

    fn text(line: &[u8]) -> String {
        String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
    }
}

impl Split for LossyLines {
    type Item = String;

    fn next(&mut self, buffer: &mut BytesMut, at_end: bool) -> Result<Option<String>, StreamError> {
        loop {
            let end = buffer[self.searched..].iter().position(|byte| *byte == b'\n').map(|end| self.searched + end);
            self.searched = 0;
            match end {
                Some(end) if self.skips => {
                    buffer.advance(end + 1);
                    self.skips = false;
                }
                Some(end) => {
                    let line = Self::text(&buffer[..end.min(self.limit)]);
                    buffer.advance(end + 1);
                    return Ok(Some(line));
                }
                None if self.skips => {
                    buffer.clear();
                    return Ok(None);
                }
                None if buffer.len() > self.limit => {
                    let line = Self::text(&buffer[..self.limit]);
                    buffer.clear();
                    self.skips = true;
                    return Ok(Some(line));
                }
                None if at_end && !buffer.is_empty() => {
                    let line = Self::text(buffer);
                    buffer.clear();
                    return Ok(Some(line));
                }
                None => {
                    self.searched = buffer.len();
                    return Ok(None);
                }
            }
        }
    }
}

/// What the operating system said of a pipe.
pub(super) fn broken(error: &io::Error) -> StreamError {
    StreamError::Broken { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of these bytes, in pieces of each size.
    fn all<S: Split>(bytes: &[u8], piece: usize, mut split: S) -> Vec<Result<S::Item, StreamError>> {
        let (mut buffer, mut found) = (BytesMut::new(), Vec::new());
        let mut take = |buffer: &mut BytesMut, at_end| {
            while let Some(next) = split.next(buffer, at_end).transpose() {
                found.push(next);
            }
        };
        for piece in bytes.chunks(piece) {
            buffer.extend_from_slice(piece);
            take(&mut buffer, false);
            assert!(buffer.len() <= 16, "what has no end is not kept");
        }
        take(&mut buffer, true);
        found
    }

    #[test]
    fn a_line_that_is_too_long_or_no_text_is_told_once_and_the_next_one_comes() {
        for piece in 1..40 {
            let found = all(b"one\r\n\n0123456789\nnext\n\xff\xfe\nlast", piece, Lines::new(8));
            let text = |text: &str| Ok(text.to_owned());
            let (long, no_text) = (Err(StreamError::TooLong { limit: 8 }), Err(StreamError::NotUtf8));
            assert_eq!(found, [text("one"), text(""), long, text("next"), no_text, text("last")], "{piece}");
        }
        assert_eq!(all(b"0123456789", 3, Lines::new(8)), [Err(StreamError::TooLong { limit: 8 })]);
        assert_eq!(all(b"", 1, Lines::new(8)), []);
    }

    #[test]
    fn frames_come_whole_and_what_ends_within_one_is_told() {
        for piece in 1..20 {
            let frame = |bytes: &[u8]| Ok(BytesMut::from(bytes));
            let found = all(b"\0\0\0\x02hi\0\0\0\0\0\0\0\x01!", piece, Frames::new(8));
            assert_eq!(found, [frame(b"hi"), frame(b""), frame(b"!")], "{piece}");
            let found = all(b"\0\0\0\x02hi\0\0\0\x05abc", piece, Frames::new(8));
            assert_eq!(found, [frame(b"hi"), Err(StreamError::Truncated { bytes: 7 })], "{piece}");
            let found = all(b"\0\0", piece, Frames::new(8));
            assert_eq!(found, [Err(StreamError::Truncated { bytes: 2 })], "{piece}");
        }
    }

    #[test]
    fn a_header_that_lies_makes_no_room() {
        let mut buffer = BytesMut::with_capacity(64);
        buffer.extend_from_slice(b"\xff\xff\xff\xff????");
        let error = Frames::new(1 << 20).next(&mut buffer, false).unwrap_err();
        assert_eq!(error, StreamError::FrameTooLong { length: u64::from(u32::MAX), limit: 1 << 20 });
        assert!(error.is_fatal() && buffer.capacity() <= 64);
    }

    #[test]
    fn lines_for_people_are_cut_and_mended() {
        for piece in 1..40 {
            let found = all(b"one\r\n0123456789\n\xffz\n\nlast", piece, LossyLines::new(8));
            let texts: Vec<_> = found.into_iter().map(Result::unwrap).collect();
            assert_eq!(texts, ["one", "01234567", "\u{fffd}z", "", "last"], "{piece}");
        }
    }
}
