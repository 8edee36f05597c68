//! How far a run has come, on standard error.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use humantime::format_duration;

/// Counts steps, and says what is being done and how much time is left.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    done: usize,
    of: usize,
    /// Whether a line can be written over the one before.
    terminal: bool,
}

impl Progress {
    /// Of so many steps, none is done.
    pub(crate) fn new(of: usize) -> Self {
        Self { started: Instant::now(), done: 0, of, terminal: stderr().is_terminal() }
    }

    /// Says what the next step is.
    pub(crate) fn say(&self, what: &str) {
        let percent = self.done * 100 / self.of.max(1);
        let line = format!("{percent:3} %  {what}{}", self.left());
        if self.terminal {
            eprint!("\r\x1b[2K{line}");
            // Progress that cannot be shown is not worth an error.
            let _ = stderr().flush();
        } else {
            eprintln!("{line}");
        }
    }

    /// A step is done.
    pub(crate) fn step(&mut self) {
        self.done += 1;
    }

    /// Says what went wrong, on a line that stays.
    pub(crate) fn warn(&self, what: &str) {
        if self.terminal {
            eprint!("\r\x1b[2K");
        }
        eprintln!("warning: {what}");
    }

    /// Says that all is done, and in how much time.
    pub(crate) fn end(&self, what: &str) {
        if self.terminal {
            eprint!("\r\x1b[2K");
        }
        eprintln!("{what} in {}", format_duration(whole_seconds(self.started.elapsed())));
    }

    /// What is left at the pace so far.
    fn left(&self) -> String {
        let part = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        match self.started.elapsed().checked_div(part(self.done)) {
            Some(step) => {
                let left = step.saturating_mul(part(self.of.saturating_sub(self.done)));
                format!(" ({} left)", format_duration(whole_seconds(left)))
            }
            None => String::new(),
        }
    }
}

fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs())
}
