//! The terminal that the table is drawn on.

use std::io::{self, IsTerminal, Write};

use console::Term;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use crate::frame::Frame;

/// A screen of its own, without a cursor, on which no line runs over into the next.
const TAKE: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const GIVE_BACK: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// A terminal taken for drawing; given back as it was when it is dropped.
pub(crate) struct Terminal {
    terminal: Term,
    /// How it was before.
    before: Termios,
}

impl Terminal {
    /// Takes the terminal that the standard output is; `None` where it is none.
    pub(crate) fn take() -> Option<Self> {
        let stdout = io::stdout();
        if !stdout.is_terminal() {
            return None;
        }
        let before = tcgetattr(&stdout).ok()?;
        let mut drawing = before.clone();
        // What is typed does not appear between the lines, and Ctrl-Z does not halt what looks after others.
        drawing.local_modes.remove(LocalModes::ECHO);
        drawing.special_codes[SpecialCodeIndex::VSUSP] = 0;
        tcsetattr(&stdout, OptionalActions::Now, &drawing).ok()?;
        Some(Self { terminal: Term::stdout(), before })
    }

    /// Goes to a screen of its own.
    pub(crate) fn enter() {
        write(TAKE);
    }

    /// Draws a frame over the one before.
    pub(crate) fn draw(&self, frame: &Frame) {
        // Whoever resized the terminal meanwhile sees it right with the next one.
        let (height, width) = self.terminal.size();
        let mut lines = frame.lines(height.into(), width.into());
        lines.resize(height.into(), String::new());
        // From the corner, and each line cleared first: nothing of the frame before is left.
        let lines: Vec<_> = lines.iter().map(|line| format!("\x1b[2K{line}")).collect();
        write(&format!("\x1b[H{}", lines.join("\r\n")));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        write(GIVE_BACK);
        // A terminal that has gone needs nothing back.
        let _ = tcsetattr(io::stdout(), OptionalActions::Now, &self.before);
    }
}

/// A terminal that has gone has nobody who looks at it.
fn write(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}
