//! Who watches all the others, and draws them.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};

use dms::event::{Down, HealthChanged};
use dms::prelude::*;
use dms::recovery::Restart;
use dms::{ModuleId, ModuleState, SystemRef};
use tokio::time::Instant;

use crate::STATIONS;
use crate::frame::{Frame, Row};
use crate::station::Station;

/// How many of the last news are shown.
const NEWS: usize = 6;

/// Hears of every end, looks at every module, and draws what it sees.
#[module(name = "screen")]
pub(crate) struct Screen {
    begun: Instant,
    /// Whether frames are drawn over each other; else only news are printed, a line each.
    is_live: bool,
    selected: usize,
    failures: u64,
    past: HashMap<ModuleId, Past>,
    news: VecDeque<String>,
}

/// What became of a module so far.
#[derive(Default)]
struct Past {
    restarts: VecDeque<Instant>,
    starts_at: Option<Instant>,
}

#[module]
impl Screen {
    pub(crate) fn new(is_live: bool) -> Self {
        let (past, news) = (HashMap::new(), VecDeque::new());
        Self { begun: Instant::now(), is_live, selected: 0, failures: 0, past, news }
    }

    #[event]
    fn on_down(&mut self, down: &Down) {
        let Some(reason) = &down.reason else { return };
        let now = Instant::now();
        self.failures += 1;
        let past = self.past.entry(down.id).or_default();
        let what = if let Some(delay) = down.restarts_in {
            past.restarts.push_back(now);
            past.starts_at = Some(now + delay);
            format!("{}: {reason}; again in {} ms", down.module, delay.as_millis())
        } else {
            self.past.remove(&down.id);
            format!("{}: {reason}; has ended", down.module)
        };
        self.tell(&what);
    }

    #[event]
    fn on_health(&mut self, change: &HealthChanged) {
        // Of failures it hears anyway.
        if let HealthStatus::Degraded(_) = change.to {
            self.tell(&format!("{}: {}", change.module, change.to));
        }
    }

    /// Says what somebody did.
    #[handler(Tell)]
    fn told(&mut self, what: String) {
        self.tell(&what);
    }

    /// Has the keys go to the station of this number.
    #[handler(Select)]
    fn select(&mut self, station: usize) {
        self.selected = station;
    }

    #[tick(every = "100ms")]
    fn draw(&mut self, ctx: &mut Context<Self>) {
        if self.is_live {
            let frame = self.frame(&ctx.system()).to_string();
            // From the corner: line over line, and nothing of the frame before is left behind them.
            let frame = frame.replace('\n', "\x1b[K\r\n");
            // A terminal that has gone has nobody who looks at it.
            let _ = write!(io::stdout().lock(), "\x1b[H{frame}\x1b[J{KEYS}");
            let _ = io::stdout().flush();
        }
    }

    /// The tree as it is now.
    #[handler(Draw)]
    fn drawn(&mut self, ctx: &mut Context<Self>) -> String {
        self.frame(&ctx.system()).to_string()
    }

    fn tell(&mut self, what: &str) {
        let line = format!("{:6.1} s   {what}", self.begun.elapsed().as_secs_f64());
        if !self.is_live {
            println!("{line}");
        }
        self.news.push_back(line);
        if self.news.len() > NEWS {
            self.news.pop_front();
        }
    }

    fn frame(&mut self, system: &SystemRef) -> Frame {
        let now = Instant::now();
        let modules = system.modules();
        let mut rows = Vec::new();
        let roots = modules.iter().filter(|module| module.parent.is_none());
        let mut open: Vec<(usize, ModuleId)> = roots.map(|module| (0, module.id)).collect();
        open.reverse();
        while let Some((level, id)) = open.pop() {
            let children = modules.iter().filter(|module| module.parent == Some(id));
            open.extend(children.map(|module| (level + 1, module.id)).rev());
            let Some(module) = modules.iter().find(|module| module.id == id) else { continue };
            let restart = module.info.restart;
            if restart == Restart::never() {
                continue;
            }
            let past = self.past.entry(module.id).or_default();
            let within = restart.intensity.within;
            past.restarts.retain(|at| now.duration_since(*at) < within);
            let waits = module.state == ModuleState::Created && module.incarnation > 1;
            let backoff = past.starts_at.filter(|_| waits).map(|at| at.saturating_duration_since(now));
            rows.push(Row {
                level,
                name: module.name.clone(),
                state: if waits { "waiting".to_owned() } else { module.state.to_string() },
                incarnation: module.incarnation,
                restarts: Some((past.restarts.len(), restart.intensity.max_restarts)),
                backoff,
                health: match system.get::<Station>(&module.name).map(|station| station.health()) {
                    Ok(HealthStatus::Healthy) => "healthy",
                    Ok(HealthStatus::Degraded(_)) => "degraded",
                    Ok(HealthStatus::Unhealthy(_)) => "unhealthy",
                    Err(_) => "",
                },
                mailbox: module.depth,
                is_selected: STATIONS.get(self.selected) == Some(&module.name.as_str()),
            });
        }
        Frame {
            elapsed: now.duration_since(self.begun),
            handled: system.snapshot().totals().handled,
            failures: self.failures,
            health: system.health().percent,
            rows,
            news: self.news.iter().cloned().collect(),
        }
    }
}

const KEYS: &str = "\r\n  [1-5] choose   [p]anic   [h]ang   [r]eload   [q]uit\r\n";
