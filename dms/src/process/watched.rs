//! What a health probe knows of a process's output: when the last of it came, and whether a line was the one that it waits for.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// So many answers are still taken for those that came too late, at most. One that never comes would be owed for ever, and a line taken for it that is none.
const OWED_AT_MOST: usize = 8;

/// What is seen of the output of a process that runs.
#[derive(Debug)]
pub(super) struct Watched {
    heard: Mutex<Instant>,
    /// Whether a probe waits for a line.
    expects: AtomicBool,
    expected: Mutex<Option<Expected>>,
}

#[derive(Debug)]
struct Expected {
    line: String,
    /// How many such lines are still to come: one for each probe, also for those that have given up.
    owed: usize,
    came: Option<oneshot::Sender<()>>,
}

impl Watched {
    /// Of a process that begins now.
    pub(super) fn new() -> Self {
        Self { heard: Mutex::new(Instant::now()), expects: AtomicBool::new(false), expected: Mutex::default() }
    }

    /// Something came.
    pub(super) fn heard(&self) {
        *self.heard.lock() = Instant::now();
    }

    /// When something came last, or the process began.
    pub(super) fn last_heard(&self) -> Instant {
        *self.heard.lock()
    }

    /// Waits for a line of its output, which then goes to nobody else. Whoever waited before waits no more; its line is still taken.
    pub(super) fn expect(&self, line: &str) -> oneshot::Receiver<()> {
        let (came, comes) = oneshot::channel();
        let mut expected = self.expected.lock();
        let owed = expected.as_ref().map_or(0, |expected| expected.owed);
        *expected = Some(Expected { line: line.to_owned(), owed: (owed + 1).min(OWED_AT_MOST), came: Some(came) });
        self.expects.store(true, Ordering::Release);
        comes
    }

    /// Takes back the last expectation: nothing was sent that a line would answer.
    pub(super) fn expect_less(&self) {
        let mut place = self.expected.lock();
        let Some(expected) = place.as_mut() else { return };
        expected.owed -= 1;
        if expected.owed == 0 {
            *place = None;
            self.expects.store(false, Ordering::Release);
        }
    }

    /// Whether this line is one that a probe waits for, or waited for.
    pub(super) fn takes(&self, line: &str) -> bool {
        // Hardly ever does one wait.
        if !self.expects.load(Ordering::Acquire) {
            return false;
        }
        let mut place = self.expected.lock();
        let Some(expected) = place.as_mut().filter(|expected| expected.line == line) else { return false };
        expected.owed -= 1;
        if let Some(came) = expected.came.take() {
            let _ = came.send(());
        }
        if expected.owed == 0 {
            *place = None;
            self.expects.store(false, Ordering::Release);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_line_that_is_expected_is_taken_once_for_each_probe() {
        let watched = Watched::new();
        assert!(!watched.takes("pong"));
        let mut comes = watched.expect("pong");
        assert!(!watched.takes("ping") && comes.try_recv().is_err());
        assert!(watched.takes("pong") && comes.try_recv().is_ok());
        assert!(!watched.takes("pong"), "it was one line");
        drop(watched.expect("pong"));
        let mut comes = watched.expect("pong");
        assert!(watched.takes("pong") && comes.try_recv().is_ok());
        assert!(watched.takes("pong"), "the line of the probe that has given up, or that of the other");
        assert!(!watched.takes("pong"));
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_never_came_are_not_owed_for_ever() {
        let watched = Watched::new();
        for _ in 0..1_000 {
            drop(watched.expect("pong"));
        }
        let taken = (0..1_000).filter(|_| watched.takes("pong")).count();
        assert_eq!(taken, OWED_AT_MOST);
        drop(watched.expect("pong"));
        watched.expect_less();
        assert!(!watched.takes("pong"), "nothing was sent");
    }
}
