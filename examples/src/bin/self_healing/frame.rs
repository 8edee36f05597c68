//! What is drawn: one frame, as text.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// How wide a mailbox is drawn, and how many messages fill it.
const WIDTH: usize = 20;
const FULL: usize = 400;

/// The tree at one moment.
pub(crate) struct Frame {
    pub(crate) elapsed: Duration,
    pub(crate) failures: u64,
    /// The modules, each behind its parent.
    pub(crate) rows: Vec<Row>,
    /// What happened last, the latest at the end.
    pub(crate) news: Vec<String>,
}

/// One module.
pub(crate) struct Row {
    /// How many ancestors it has.
    pub(crate) level: usize,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) incarnation: u32,
    /// How many restarts its window holds, and how many it may.
    pub(crate) restarts: Option<(usize, u32)>,
    /// How long it still waits until it starts again.
    pub(crate) backoff: Option<Duration>,
    pub(crate) mailbox: usize,
    /// Whether keys go to it.
    pub(crate) is_selected: bool,
}

impl Display for Frame {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed.as_secs_f64();
        writeln!(f, "{seconds:6.1} s   {} failures", self.failures)?;
        writeln!(f)?;
        writeln!(f, "  {:<14} {:<11} {:>5} {:>9} {:>9}  mailbox", "module", "state", "start", "restarts", "backoff")?;
        for row in &self.rows {
            write!(f, "{row}")?;
        }
        writeln!(f)?;
        for news in &self.news {
            writeln!(f, "  {news}")?;
        }
        Ok(())
    }
}

impl Display for Row {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mark = if self.is_selected { '>' } else { ' ' };
        let name = format!("{}{}", "  ".repeat(self.level), self.name);
        let restarts = self.restarts.map_or_else(String::new, |(recent, most)| format!("{recent}/{most}"));
        let backoff = self.backoff.map_or_else(String::new, |left| format!("{:.1} s", left.as_secs_f64()));
        let Self { state, incarnation, mailbox, .. } = self;
        write!(f, "{mark} {name:<14} {state:<11} {incarnation:>5} {restarts:>9} {backoff:>9}  ")?;
        let filled = (mailbox * WIDTH).div_ceil(FULL).min(WIDTH);
        writeln!(f, "{:<WIDTH$} {mailbox}", "#".repeat(filled))
    }
}
