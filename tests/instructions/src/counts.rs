//! The file of counts, and what is measured beside it.

use std::fmt::Write as _;

/// How far a count may rise, in per cent, before it needs a reason.
pub(crate) const TOLERANCE: f64 = 5.0;

/// Below this, in per cent, a count is the same as before.
pub(crate) const RESOLUTION: f64 = 1.0;

const HEADER: &str = "\
# How many instructions of the program itself one operation takes, on x86_64 Linux in the release profile.
# The checks fail where one takes 5 % more. `cargo run --release -p dms-instructions -- --record \"reason\"` writes
# this file; the reason is why the count is what it is, rather than what it was.
#
# operation  instructions  reason
";

/// What is recorded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    operation: String,
    instructions: u32,
    reason: String,
}

/// What was measured, beside what is recorded.
#[derive(Debug, PartialEq)]
pub(crate) enum Change {
    /// In per cent, and small.
    Small(f64),
    /// In per cent, more than is allowed.
    Rise(f64),
    /// In per cent, and negative.
    Fall(f64),
    NotRecorded,
}

impl Counts {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut counts = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let entry = Entry::parse(line)
                .ok_or_else(|| format!("line {number}, `{line}`, is not `operation  instructions  reason`"))?;
            if counts.recorded(&entry.operation).is_some() {
                return Err(format!("line {number}: `{}` is there twice", entry.operation));
            }
            counts.entries.push(entry);
        }
        Ok(counts)
    }

    pub(crate) fn text(&self) -> String {
        let mut text = HEADER.to_owned();
        for Entry { operation, instructions, reason } in &self.entries {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{operation:<16} {instructions:>8}  {reason}");
        }
        text
    }

    pub(crate) fn recorded(&self, operation: &str) -> Option<u32> {
        self.entries.iter().find(|entry| entry.operation == operation).map(|entry| entry.instructions)
    }

    /// Operations that are recorded but not among `known`.
    pub(crate) fn unknown<'a>(&'a self, known: &[&str]) -> Vec<&'a str> {
        self.entries.iter().map(|entry| entry.operation.as_str()).filter(|name| !known.contains(name)).collect()
    }

    pub(crate) fn compare(&self, operation: &str, measured: f64) -> Change {
        let Some(recorded) = self.recorded(operation) else { return Change::NotRecorded };
        let change = percent(f64::from(recorded), measured);
        if change > TOLERANCE {
            Change::Rise(change)
        } else if change < -TOLERANCE {
            Change::Fall(change)
        } else {
            Change::Small(change)
        }
    }

    /// Writes down what was measured, and the reason where the count has changed; what is not measured any more is left out.
    ///
    /// A count that is the same within the resolution stays, so that many small rises are seen together one day.
    pub(crate) fn record(&self, measured: &[(&str, f64)], reason: &str) -> Self {
        let record = |&(operation, instructions): &(&str, f64)| {
            let before = self.entries.iter().find(|entry| entry.operation == operation);
            match before {
                Some(entry) if percent(f64::from(entry.instructions), instructions).abs() <= RESOLUTION => {
                    entry.clone()
                }
                _ => Entry::new(operation, instructions, reason),
            }
        };
        Self { entries: measured.iter().map(record).collect() }
    }
}

impl Entry {
    fn new(operation: &str, instructions: f64, reason: &str) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are small and positive")]
        let instructions = instructions.round() as u32;
        // One line each.
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { operation: operation.to_owned(), instructions, reason }
    }

    fn parse(line: &str) -> Option<Self> {
        let (operation, rest) = line.split_once(char::is_whitespace)?;
        let (instructions, reason) = rest.trim_start().split_once(char::is_whitespace)?;
        let instructions = instructions.parse().ok().filter(|count| *count > 0)?;
        Some(Self { operation: operation.to_owned(), instructions, reason: reason.trim_start().to_owned() })
    }
}

/// How much more `after` is than `before`, in per cent.
pub(crate) fn percent(before: f64, after: f64) -> f64 {
    (after - before) / before * 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts() -> Counts {
        Counts::parse("# a comment\n\ntell 200 first recorded\nask 1000  it allocates\n").expect("well formed")
    }

    #[test]
    fn the_file_is_read_as_it_is_written() {
        let counts = counts();
        assert_eq!(counts.recorded("tell"), Some(200));
        assert_eq!(counts.recorded("ask"), Some(1_000));
        assert_eq!(counts.recorded("tick"), None);
        assert_eq!(Counts::parse(&counts.text()), Ok(counts));
    }

    #[test]
    fn a_line_that_is_not_understood_is_named() {
        for line in ["tell", "tell 200", "tell many first recorded", "tell -1 first recorded", "tell 0 first recorded"]
        {
            let error = Counts::parse(&format!("# a comment\n{line}\n")).expect_err("malformed");
            assert!(error.contains("line 2") && error.contains(line), "{error}");
        }
        assert!(Counts::parse("tell 1 a\ntell 2 b\n").is_err_and(|error| error.contains("twice")));
    }

    #[test]
    fn a_rise_above_five_per_cent_is_one() {
        assert_eq!(counts().compare("tell", 212.0), Change::Rise(6.0));
        assert_eq!(counts().compare("tell", 210.0), Change::Small(5.0));
        assert_eq!(counts().compare("tell", 200.0), Change::Small(0.0));
        assert_eq!(counts().compare("tell", 190.0), Change::Small(-5.0));
        assert_eq!(counts().compare("tell", 100.0), Change::Fall(-50.0));
        assert_eq!(counts().compare("tick", 100.0), Change::NotRecorded);
    }

    #[test]
    fn what_has_changed_is_recorded_with_the_reason() {
        let recorded = counts().record(&[("tell", 201.9), ("ask", 900.4), ("tick", 50.0)], "fewer\n locks");
        let lines: Vec<_> = recorded.entries.iter().map(|e| (&*e.operation, e.instructions, &*e.reason)).collect();
        assert_eq!(lines, [("tell", 200, "first recorded"), ("ask", 900, "fewer locks"), ("tick", 50, "fewer locks")]);
    }

    #[test]
    fn what_is_not_measured_any_more_is_found_and_left_out() {
        assert_eq!(counts().unknown(&["tell", "tick"]), ["ask"]);
        assert!(counts().record(&[("tell", 200.0)], "an end").unknown(&["tell"]).is_empty());
    }
}
