//! Writing what is shown, on a thread of its own.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::frame::Frame;
use crate::terminal::Terminal;

/// How much may wait to be written.
const WAITING: usize = 1000;

/// What can be shown.
enum Page {
    /// The table, over the one before; only on a terminal.
    Frame(Frame),
    /// A line below the one before.
    Line(String),
}

/// What is shown goes here. It never waits: a terminal may be halted and a pipe full, and those who look after processes go on all the same. What there is no room for is left out.
pub(crate) struct Display {
    pages: SyncSender<Page>,
    /// Whether there is a terminal, which frames are drawn on; else lines are written.
    pub(crate) is_live: bool,
}

impl Display {
    /// Takes the terminal, if there is one. The thread ends when the display is dropped; then the terminal has been given back.
    pub(crate) fn start() -> (Self, JoinHandle<()>) {
        let terminal = Terminal::take();
        let is_live = terminal.is_some();
        let (pages, written) = sync_channel(if is_live { 0 } else { WAITING });
        let thread = thread::spawn(move || write(&written, terminal.as_ref()));
        (Self { pages, is_live }, thread)
    }

    /// Draws a frame, unless the one before is still being drawn.
    pub(crate) fn draw(&self, frame: Frame) {
        let _ = self.pages.try_send(Page::Frame(frame));
    }

    pub(crate) fn write_line(&self, line: String) {
        let _ = self.pages.try_send(Page::Line(line));
    }
}

fn write(pages: &Receiver<Page>, terminal: Option<&Terminal>) {
    if terminal.is_some() {
        Terminal::enter();
    }
    for page in pages {
        match page {
            Page::Frame(frame) => {
                if let Some(terminal) = terminal {
                    terminal.draw(&frame);
                }
            }
            // Whoever reads may have had enough.
            Page::Line(line) => drop(writeln!(io::stdout(), "{line}")),
        }
    }
}
