//! How processes ended, in words.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use dms::process::{ExitReport, ProcessReport, ProcessStatus};

/// How a process ended.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub(crate) id: String,
    /// How often it was started.
    pub(crate) starts: u32,
    pub(crate) text: String,
    /// Whether that is not as it should be.
    pub(crate) is_failure: bool,
}

impl End {
    /// Of a process that was never there.
    pub(crate) fn not_started(id: String, text: String, is_failure: bool) -> Self {
        Self { id, starts: 0, text, is_failure }
    }

    /// Of a process that will not be started again.
    pub(crate) fn of(report: &ProcessReport) -> Self {
        let id = report.id.to_string();
        let (text, is_failure) = match (&report.status, &report.exit) {
            (ProcessStatus::Error(text), _) => (of_it(&id, text), true),
            (_, Some(exit)) => (left(exit), false),
            (status, None) => (status.to_string(), false),
        };
        Self { id, starts: report.starts, text, is_failure }
    }
}

/// `web        was ended by SIGTERM`
impl Display for End {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:<12}{}", self.id, self.text)?;
        if self.starts > 1 {
            write!(f, " ({} starts)", self.starts)?;
        }
        Ok(())
    }
}

/// How a process left.
pub(crate) fn left(exit: &ExitReport) -> String {
    if exit.grace_passed { format!("{exit}, as its grace had passed") } else { exit.to_string() }
}

/// What is said of a process, without its name and number.
pub(crate) fn of_it(id: &str, text: &str) -> String {
    let text = text.strip_prefix(&format!("process `{id}` ")).unwrap_or(text);
    let numbered = text.strip_prefix("(pid ").and_then(|text| text.split_once(") "));
    numbered.map_or(text, |(_, text)| text).to_owned()
}

/// An error with its causes.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn Error);

impl Display for Chain<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
