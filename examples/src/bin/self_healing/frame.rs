//! What is drawn: one frame, as text.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// How wide a mailbox is drawn, and how many messages fill it.
const WIDTH: usize = 20;
const FULL: usize = 400;

/// The tree at one moment.
pub(crate) struct Frame {
    pub(crate) elapsed: Duration,
    pub(crate) handled: u64,
    pub(crate) failures: u64,
    /// How many of a hundred modules are healthy.
    pub(crate) health: u8,
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
    pub(crate) health: &'static str,
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
        let Self { handled, failures, health, .. } = self;
        writeln!(f, "{seconds:6.1} s   {handled} handled   {failures} failures   {health} % healthy")?;
        writeln!(f)?;
        writeln!(
            f,
            "  {:<11}{:<11}{:<11}{:>6}{:>10}{:>9}  mailbox",
            "module", "state", "health", "start", "restarts", "backoff"
        )?;
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
        let Self { state, health, incarnation, mailbox, .. } = self;
        write!(f, "{mark} {name:<11}{state:<11}{health:<11}{incarnation:>6}{restarts:>10}{backoff:>9}  ")?;
        let filled = (mailbox * WIDTH).div_ceil(FULL).min(WIDTH);
        writeln!(f, "{:<WIDTH$} {mailbox}", "#".repeat(filled))
    }
}
