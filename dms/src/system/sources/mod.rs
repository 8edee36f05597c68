//! Events that the system makes itself: ticks, and what it sees of the host, which is read from the files of the Linux kernel.
//!
//! A source runs only while somebody subscribes to what it makes. It is a request of the system's timers and no task of its own. [`memory`] tells how
//! scarce memory is, [`processors`] which processors there are.

mod memory;
mod processors;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::event::Audience;
use super::registry::Shared;
use super::system_event::{CpuHotplug, MemoryPressure, PressureLevel, Tick};
use crate::module::timers::{Fired, Key, Source};

/// How often the host is looked at where nothing else is said.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is shorter is taken as this: Tokio's resolution.
pub(super) const SHORTEST: Duration = Duration::from_millis(1);

/// What the builder says of the sources.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// How often a tick comes; never where it is `None`.
    pub(super) tick_every: Option<Duration>,
    /// How often the host is looked at.
    pub(super) look_every: Duration,
    /// Where `proc` and `sys` are.
    pub(super) root: PathBuf,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tick_every: None, look_every: LOOK_EVERY, root: PathBuf::from("/") }
    }
}

/// The sources of one system.
pub(super) struct Sources {
    settings: Settings,
    system: Weak<Shared>,
    built: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    clock: Run,
    memory: Run,
    processors: Run,
}

/// Where a source stands.
#[derive(Clone, Copy, Default)]
enum Run {
    #[default]
    Off,
    On(Key),
    /// The platform does not have it, which has been said.
    Lacking,
}

impl Sources {
    pub(super) fn new(settings: Settings, system: Weak<Shared>) -> Self {
        Self { settings, system, built: Instant::now(), state: Mutex::default() }
    }
}

impl Shared {
    /// Starts the sources that somebody subscribes to by now, and stops those that nobody does any more.
    pub(super) fn tend_sources(&self) {
        let Sources { settings, system, built, state } = &self.sources;
        let Settings { tick_every, look_every, root } = settings;
        let mut state = state.lock();
        let mut level = PressureLevel::None;
        let mut lacking = Vec::new();

        let is_wanted = self.bus.has_subscribers::<Tick>();
        if let Some(every) = tick_every {
            self.tend(&mut state.clock, is_wanted, || {
                let every = (*every).max(SHORTEST);
                Some((Box::new(Clock(system.clone())), next_on_grid(*built, every), every))
            });
        }
        let is_wanted = self.bus.has_subscribers::<MemoryPressure>();
        self.tend(&mut state.memory, is_wanted, || {
            let Some(now) = memory::level(root) else {
                lacking.push(("MemoryPressure", "no `/proc/pressure/memory`, and no cgroup that limits memory"));
                return None;
            };
            level = now;
            let source = Memory { system: system.clone(), root: root.clone(), level };
            Some((Box::new(source), Instant::now().checked_add(*look_every), *look_every))
        });
        let is_wanted = self.bus.has_subscribers::<CpuHotplug>();
        self.tend(&mut state.processors, is_wanted, || {
            let Some(online) = processors::online(root) else {
                lacking.push(("CpuHotplug", "no `/sys/devices/system/cpu/online`"));
                return None;
            };
            let source = Processors { system: system.clone(), root: root.clone(), online };
            Some((Box::new(source), Instant::now().checked_add(*look_every), *look_every))
        });
        drop(state);

        for (event, reason) in lacking {
            let root = root.display();
            tracing::warn!(system = self.name, %root, "`{event}` events never come here: there is {reason}");
        }
        if level > PressureLevel::None {
            self.publish(MemoryPressure { level }, Audience::Everybody);
        }
    }

    /// Brings a source to where it is to be; `make` gives nothing where the platform lacks it.
    fn tend(
        &self,
        run: &mut Run,
        is_wanted: bool,
        make: impl FnOnce() -> Option<(Box<dyn Source>, Option<Instant>, Duration)>,
    ) {
        let timers = &self.environment.timers;
        match *run {
            Run::Off if is_wanted => {
                *run = Run::Lacking;
                if let Some((source, first, every)) = make() {
                    *run =
                        timers.request(&self.environment, None, source, first, Some(every)).map_or(Run::Off, Run::On);
                }
            }
            Run::On(key) if !is_wanted => {
                timers.stop(key);
                *run = Run::Off;
            }
            Run::Off | Run::On(_) | Run::Lacking => {}
        }
    }
}

/// The next of the times that lie whole intervals after `start`.
fn next_on_grid(start: Instant, every: Duration) -> Option<Instant> {
    let now = Instant::now();
    let passed = now.saturating_duration_since(start).as_nanos() % every.as_nanos();
    let left = every.saturating_sub(u64::try_from(passed).map_or(Duration::ZERO, Duration::from_nanos));
    now.checked_add(left)
}

/// Ticks. Those that are due while the threads are busy come as one, and the grid stays.
struct Clock(Weak<Shared>);

impl Source for Clock {
    fn fire(&mut self) -> Fired {
        let Some(system) = self.0.upgrade() else { return Fired::Ended };
        let since = Instant::now().saturating_duration_since(system.sources.built);
        let timestamp_ns = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        system.publish(Tick { timestamp_ns }, Audience::Everybody);
        Fired::Saturated
    }

    fn skip(&mut self, _: u64) {}

    fn is_closed(&self) -> bool {
        false
    }
}

/// Looks how scarce memory is. The kernel makes the files up when they are read: no disk is waited for.
struct Memory {
    system: Weak<Shared>,
    root: PathBuf,
    level: PressureLevel,
}

impl Source for Memory {
    fn fire(&mut self) -> Fired {
        let Some(system) = self.system.upgrade() else { return Fired::Ended };
        if let Some(level) = memory::level(&self.root)
            && level != self.level
        {
            self.level = level;
            system.publish(MemoryPressure { level }, Audience::Everybody);
        }
        Fired::Saturated
    }

    fn skip(&mut self, _: u64) {}

    fn is_closed(&self) -> bool {
        false
    }
}

/// Looks which processors there are.
struct Processors {
    system: Weak<Shared>,
    root: PathBuf,
    online: BTreeSet<u32>,
}

impl Source for Processors {
    fn fire(&mut self) -> Fired {
        let Some(system) = self.system.upgrade() else { return Fired::Ended };
        if let Some(online) = processors::online(&self.root) {
            for &cpu_id in online.symmetric_difference(&self.online) {
                system.publish(CpuHotplug { cpu_id, online: online.contains(&cpu_id) }, Audience::Everybody);
            }
            self.online = online;
        }
        Fired::Saturated
    }

    fn skip(&mut self, _: u64) {}

    fn is_closed(&self) -> bool {
        false
    }
}

/// What a file of the kernel's says.
fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}
