//! What happened, a line each: as a hash, and where that is wanted as text.

use std::fmt::{self, Write};

use tokio::time::Instant;

/// Lines of text of which at least the hash is kept.
pub(super) struct Trace {
    begun: Instant,
    /// FNV-1a, 64 bits.
    hash: u64,
    text: Option<String>,
}

impl Trace {
    /// A trace of nothing, which `keeps_text`, or its hash alone.
    pub(super) fn new(keeps_text: bool) -> Self {
        Self { begun: Instant::now(), hash: 0xcbf2_9ce4_8422_2325, text: keeps_text.then(String::new) }
    }

    /// Adds a line, with the time since it was begun.
    pub(super) fn note(&mut self, what: fmt::Arguments<'_>) {
        let since = self.since(Instant::now());
        // To write to a trace does not fail.
        let _ = writeln!(self, "{since} {what}");
    }

    /// How a line says when something is.
    pub(super) fn since(&self, at: Instant) -> impl fmt::Display + use<> {
        let since = at.duration_since(self.begun);
        fmt::from_fn(move |f| write!(f, "{}.{:09}", since.as_secs(), since.subsec_nanos()))
    }

    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }
}

impl Write for Trace {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        self.hash = part.bytes().fold(self.hash, fold);
        if let Some(text) = &mut self.text {
            text.push_str(part);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::Trace;

    #[test]
    fn the_hash_is_that_of_the_reference_implementation_in_however_many_parts() {
        let hash = |parts: &[&str]| {
            let mut trace = Trace::new(false);
            for part in parts {
                trace.write_str(part).unwrap();
            }
            (trace.hash(), trace.text().is_none())
        };
        assert_eq!(hash(&[]), (0xcbf2_9ce4_8422_2325, true));
        assert_eq!(hash(&["a"]), (0xaf63_dc4c_8601_ec8c, true));
        assert_eq!(hash(&["foo", "", "bar"]), (0x8594_4171_f739_67e8, true));
    }
}
