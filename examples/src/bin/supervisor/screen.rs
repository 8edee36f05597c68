//! Who watches all the others, and shows them.

use std::collections::VecDeque;

use dms::event::{Down, HealthChanged};
use dms::prelude::*;
use dms::process::{LimitNear, ProcessChanged, ProcessHandle, ProcessLine, ProcessStatus, StreamTrouble};
use tokio::time::Instant;

use crate::display::Display;
use crate::end::{End, left, of_it};
use crate::frame::{Frame, Row, plain};

/// How many of the last news are kept: more than most terminals show.
const NEWS: usize = 100;

/// Hears of every change, and draws what it sees; or prints it line by line, where there is no terminal.
#[module]
pub(crate) struct Screen {
    begun: Instant,
    display: Display,
    /// In the order of their start.
    processes: Vec<Shown>,
    news: VecDeque<String>,
    foot: &'static str,
}

/// What is shown of a process.
struct Shown {
    id: String,
    handle: Option<ProcessHandle>,
    /// What it waits for, or why it never came.
    note: String,
    /// When it will be started again.
    starts_at: Option<Instant>,
}

#[module]
impl Screen {
    /// `processes` are their ids, each with those that it depends on.
    pub(crate) fn new(display: Display, processes: Vec<(String, Vec<String>)>) -> Self {
        let shown = |(id, depends): (String, Vec<String>)| Shown {
            id,
            handle: None,
            note: format!("for {}", depends.join(", ")),
            starts_at: None,
        };
        Self {
            begun: Instant::now(),
            display,
            processes: processes.into_iter().map(shown).collect(),
            news: VecDeque::new(),
            foot: "Ctrl-C stops all, the youngest first",
        }
    }

    /// A process has been spawned.
    #[handler(Show)]
    fn show(&mut self, handle: ProcessHandle) {
        if let Some(shown) = self.shown(handle.id()) {
            shown.note.clear();
            shown.handle = Some(handle);
        }
    }

    /// A process never will be.
    #[handler(Miss)]
    fn missed(&mut self, end: End) {
        self.tell(&format!("{}: {}", end.id, end.text));
        if let Some(shown) = self.shown(&end.id) {
            shown.note = end.text;
        }
    }

    /// Somebody pressed Ctrl-C, or so.
    #[handler(Stopping)]
    fn stopping(&mut self, why: String) {
        self.tell(&format!("{why}: stopping all"));
        self.foot = "all are being stopped; Ctrl-C kills those that are left";
    }

    /// Answers when it has shown all that had happened before it was asked.
    #[handler(CatchUp)]
    fn caught_up(&self) {}

    #[event]
    fn on_changed(&mut self, change: &ProcessChanged) {
        let Some(shown) = self.shown(&change.id) else { return };
        shown.starts_at = None;
        let id = &change.id;
        let pid = change.pid.map(|pid| format!(", pid {pid}")).unwrap_or_default();
        match (&change.from, &change.to) {
            (ProcessStatus::Initializing, ProcessStatus::Idle | ProcessStatus::Busy) => {
                self.tell(&format!("{id}: up{pid}"));
            }
            (ProcessStatus::Paused, ProcessStatus::Idle | ProcessStatus::Busy) => self.tell(&format!("{id}: goes on")),
            (_, ProcessStatus::Paused) => self.tell(&format!("{id}: halted")),
            (_, ProcessStatus::Stopping) => self.tell(&format!("{id}: stopping")),
            (_, ProcessStatus::Terminated) => {
                let how = change.exit.as_ref().map_or_else(|| "ended".to_owned(), left);
                self.tell(&format!("{id}: {how}"));
            }
            (_, ProcessStatus::Error(text)) => self.tell(&format!("{id}: {}", of_it(id, text))),
            _ => {}
        }
    }

    /// What failed is started again after a while, or no more.
    #[event]
    fn on_down(&mut self, down: &Down) {
        let Some(shown) = self.shown(&down.module.text()) else { return };
        shown.starts_at = down.restarts_in.map(|delay| Instant::now() + delay);
        let starts = shown.handle.as_ref().map_or(0, |handle| handle.report().starts);
        match down.restarts_in {
            Some(delay) => self.tell(&format!("{}: starts again in {} ms", down.module, delay.as_millis())),
            None if down.reason.is_some() => {
                let starts = if starts == 1 { "1 start".to_owned() } else { format!("{starts} starts") };
                self.tell(&format!("{}: given up after {starts}", down.module));
            }
            None => {}
        }
    }

    #[event]
    fn on_limit(&mut self, near: &LimitNear) {
        let LimitNear { id, limit, allowed, used, .. } = near;
        self.tell(&format!("{id}: {used} of {allowed} {limit} in use"));
    }

    #[event]
    fn on_health(&mut self, change: &HealthChanged) {
        // Of failures it hears anyway.
        if self.shown(&change.module.text()).is_some()
            && let HealthStatus::Degraded(_) = change.to
        {
            self.tell(&format!("{}: {}", change.module, change.to));
        }
    }

    #[event]
    fn on_trouble(&mut self, trouble: &StreamTrouble) {
        self.tell(&format!("{}: {}: {}", trouble.id, trouble.stream, trouble.error));
    }

    /// What a process says.
    #[handler]
    fn line(&mut self, line: ProcessLine) {
        self.tell(&format!("{} | {}", line.id, line.text));
    }

    #[tick(every = "100ms")]
    fn draw(&mut self) {
        if self.display.is_live {
            self.display.draw(self.frame());
        }
    }

    fn tell(&mut self, what: &str) {
        let line = format!("{:6.1} s   {}", self.begun.elapsed().as_secs_f64(), plain(what));
        if !self.display.is_live {
            self.display.write_line(line.clone());
        }
        self.news.push_back(line);
        if self.news.len() > NEWS {
            self.news.pop_front();
        }
    }

    fn shown(&mut self, id: &str) -> Option<&mut Shown> {
        self.processes.iter_mut().find(|shown| shown.id == id)
    }

    fn frame(&self) -> Frame {
        let rows: Vec<_> = self.processes.iter().map(Shown::row).collect();
        let up = rows.iter().filter(|row| row.pid.is_some()).count();
        let seconds = self.begun.elapsed().as_secs();
        Frame {
            title: format!("{up} of {} processes run   {seconds} s", rows.len()),
            rows,
            news: self.news.iter().cloned().collect(),
            foot: self.foot,
        }
    }
}

impl Shown {
    fn row(&self) -> Row {
        let row = Row { name: self.id.clone(), status: "waiting", note: self.note.clone(), ..Row::default() };
        let Some(handle) = &self.handle else { return row };
        let report = handle.report();
        let waits = self.starts_at.map(|at| at.saturating_duration_since(Instant::now()));
        let end = report.last_error.as_ref().map(|error| of_it(&self.id, &error.to_string()));
        let end = end.or_else(|| report.exit.as_ref().map(left)).unwrap_or_default();
        let is_running = report.pid.is_some();
        let usage = report.usage.filter(|_| is_running);
        Row {
            status: match &report.status {
                _ if waits.is_some() => "backoff",
                ProcessStatus::Initializing => "starting",
                ProcessStatus::Idle => "idle",
                ProcessStatus::Busy => "busy",
                ProcessStatus::Paused => "paused",
                ProcessStatus::Stopping => "stopping",
                ProcessStatus::Error(_) => "failed",
                ProcessStatus::Terminated => "ended",
            },
            pid: report.pid,
            cpu: usage.map(|usage| usage.cpu_percent),
            memory: usage.map(|usage| usage.memory),
            restarts: Some(report.restarts()),
            health: match &report.health {
                _ if !is_running || report.status == ProcessStatus::Initializing => "",
                HealthStatus::Healthy => "healthy",
                HealthStatus::Degraded(_) => "degraded",
                HealthStatus::Unhealthy(_) => "unhealthy",
            },
            up: report.spawn_time.filter(|_| is_running).and_then(|at| at.elapsed().ok()),
            note: waits.map_or_else(|| end.clone(), |left| format!("again in {:.1} s; {end}", left.as_secs_f64())),
            ..row
        }
    }
}
