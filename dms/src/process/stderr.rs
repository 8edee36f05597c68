//! What becomes of a process's standard error.

use std::collections::VecDeque;

use parking_lot::Mutex;

/// How many lines of the standard error are kept.
const LINES: usize = 20;

/// How many bytes of each.
const LINE_BYTES: usize = 1024;

/// What becomes of a process's standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stderr {
    /// Each line is logged with `tracing`, at the level INFO, with the target `dms::process` and the process's id in the field `process`; what is longer than 64 KiB is cut, and what is not UTF-8 replaced. The last 20 lines, cut at
    /// 1 KiB, are in [reports](super::ProcessReport) and [events](super::ProcessChanged).
    #[default]
    Log,
    /// It goes where this program's goes. Nothing of it is kept.
    Inherit,
    /// It is dropped.
    Null,
}

/// The last lines of a process's standard error.
#[derive(Debug, Default)]
pub(super) struct StderrTail(Mutex<VecDeque<String>>);

impl StderrTail {
    pub(super) fn push(&self, mut line: String) {
        let mut end = line.len().min(LINE_BYTES);
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        line.truncate(end);
        line.shrink_to_fit();
        let mut lines = self.0.lock();
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The oldest first.
    pub(super) fn lines(&self) -> Vec<String> {
        self.0.lock().iter().cloned().collect()
    }

    /// Another process begins.
    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_each_cut_between_letters() {
        let tail = StderrTail::default();
        for number in 0..50 {
            tail.push(format!("{number} {}", "ä".repeat(LINE_BYTES)));
        }
        let lines = tail.lines();
        assert_eq!((lines.len(), lines[0].len()), (LINES, 1023));
        assert!(lines[0].starts_with("30 ä") && lines[19].starts_with("49 ä"));
        tail.clear();
        assert!(tail.lines().is_empty());
    }
}
