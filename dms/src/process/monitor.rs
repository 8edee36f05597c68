//! Looks at a process every so often, says what it uses and whether it is busy, and kills it when it goes over a limit.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::Signal as RawSignal;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::child::Child;
use super::config::ProcessConfig;
use super::error::{ProcessError, ProcessResult};
use super::judge::{Figures, Judge, LimitLevel};
use super::limit_near::LimitNear;
use super::limits::{Amount, Limit, ResourceLimits};
use super::sampler::{Glance, Sample, Sampler};
use super::signal::Signal;
use super::state::Shared;
use super::status::ProcessStatus;

/// How often a process is looked at where its configuration does not say.
const EVERY: Duration = Duration::from_secs(1);

/// What is shorter is taken as this: the kernel counts CPU time in such steps.
const SHORTEST: Duration = Duration::from_millis(10);

/// What is longer is taken as this, so that no time is beyond what a clock can say.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// Where there is a limit of memory, it is looked at so often, at least.
const GLANCE: Duration = Duration::from_millis(100);

/// A look that takes longer is not waited for. The kernel may hold up who reads of a process that the disk holds up.
const WITHIN: Duration = Duration::from_secs(5);

/// Where there is a limit of processes, they are counted so many times as often.
const COUNTS: u32 = 10;

/// From so many percent of a core on a process is busy, where its configuration does not say.
const BUSY_ABOVE: f64 = 5.0;

/// With fewer no program comes as far as its first line.
const FEWEST_FILES: u64 = 4;

/// How many threads look at a time. The kernel makes the contents of its files as they are read, which may take a while for a process of many pages, so no thread of the runtime does it; and
/// not one thread for each process that is due.
static LOOKS: Semaphore = Semaphore::const_new(4);

/// Refuses what this platform cannot watch, before anything is spawned.
pub(super) fn check(config: &ProcessConfig) -> ProcessResult<()> {
    let limits = config.limits.unwrap_or_default();
    let is_watched = limits.memory.is_some() || limits.cpu_percent.is_some() || limits.processes.is_some();
    if config.busy_above.is_some_and(f64::is_nan) {
        let reason = "is no number: write a percentage of one core".to_owned();
        return Err(ProcessError::Setting { id: config.id.clone(), setting: "busy_above", reason });
    }
    if (is_watched || config.sample_every.is_some()) && !Sampler::is_supported() {
        let what = "`/proc`, so memory, CPU percentage and processes cannot be limited, and nothing can be sampled";
        return Err(ProcessError::Unsupported { id: config.id.clone(), what });
    }
    if let Some(open_files @ ..FEWEST_FILES) = limits.open_files {
        let reason = format!(
            "`open_files` is {open_files}, with which no program starts: its three streams, and one to load it from, are {FEWEST_FILES}"
        );
        return Err(ProcessError::Setting { id: config.id.clone(), setting: "limits", reason });
    }
    Ok(())
}

/// Looks after one incarnation of a process.
pub(super) struct Monitor {
    sampler: Arc<Mutex<Sampler>>,
    judge: Judge,
    every: Duration,
    /// Of which the last is a look, and those before it are counts.
    steps: u32,
    busy_above: f64,
    /// The CPU time that a process had used which has ended.
    used_to_the_end: Duration,
    /// Whether it was said that `/proc` cannot be read.
    warned: bool,
    /// How long a look may take.
    within: Duration,
    /// Whether the last one took longer. There is no other one before it is over.
    held_up: bool,
}

impl Monitor {
    pub(super) fn new(child: &Child, config: &ProcessConfig) -> Self {
        let limits = config.limits.unwrap_or_default();
        let every = config.sample_every.unwrap_or(EVERY).clamp(SHORTEST, LONGEST);
        Self {
            sampler: Arc::new(Mutex::new(Sampler::new(child.number(), child.group().is_some(), limits.memory))),
            judge: Judge::new(limits),
            every,
            steps: steps(every, &limits),
            busy_above: config.busy_above.unwrap_or(BUSY_ABOVE),
            used_to_the_end: Duration::ZERO,
            warned: false,
            within: WITHIN,
            held_up: false,
        }
    }

    /// Looks at the process until it has gone over a limit, kills it then, and gives the figures.
    ///
    /// # Cancel safety
    /// Cancel safe: a look that has begun ends by itself, and nothing is made of it.
    pub(super) async fn until_over(&mut self, child: &Child, shared: &Shared) -> Figures {
        if !Sampler::is_supported() {
            std::future::pending::<()>().await;
        }
        let mut steps = interval((self.every / self.steps).max(Duration::from_millis(1)));
        steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut counts = 0;
        loop {
            steps.tick().await;
            let kept = if counts == 0 { self.look(shared).await } else { self.count(shared).await };
            if let Err(over) = kept {
                // Before anybody is told: it goes on growing.
                match child.signal(Signal::KILL) {
                    Ok(_) => return over,
                    Err(error) => {
                        let id = shared.id();
                        tracing::error!(target: "dms::process", process = %id, %error, "over a limit, and cannot be killed");
                    }
                }
            }
            counts = (counts + 1) % self.steps;
        }
    }

    /// Looks at a process once more that has ended and was not reaped, where [`cause_of_end`](Self::cause_of_end) will need it.
    pub(super) async fn look_at_the_end(&mut self, shared: &Shared) {
        if shared.config.limits.is_some_and(|limits| limits.cpu_time.is_some())
            && let Some(Sample { usage, .. }) = self.sample(shared).await
        {
            self.used_to_the_end = usage.cpu_time;
        }
    }

    /// What a process has failed of that ended by itself, and not as it should: the kernel ends what has used up its CPU time.
    pub(super) fn cause_of_end(&self, shared: &Shared, signal: Option<i32>) -> Option<Figures> {
        let allowed = shared.config.limits?.cpu_time?;
        let was_told = signal == Some(RawSignal::XCPU.as_raw());
        // The kernel compares nanoseconds, and tells hundredths of a second.
        let used = if was_told { self.used_to_the_end.max(allowed) } else { self.used_to_the_end };
        let figures = Figures { limit: Limit::CpuTime, allowed: Amount::Time(allowed), used: Amount::Time(used) };
        (used >= allowed).then_some(figures)
    }

    async fn look(&mut self, shared: &Shared) -> Result<(), Figures> {
        let before = shared.status();
        let Some(Sample { usage, is_stopped }) = self.sample(shared).await else { return Ok(()) };
        shared.used(usage);
        for (level, figures) in self.judge.judge(&usage)? {
            near(shared, level, figures);
        }
        let now = match is_stopped {
            true => ProcessStatus::Paused,
            false if usage.cpu_percent >= self.busy_above => ProcessStatus::Busy,
            false => ProcessStatus::Idle,
        };
        shared.looked(&before, now);
        Ok(())
    }

    async fn count(&mut self, shared: &Shared) -> Result<(), Figures> {
        let Some(Glance { processes, memory }) = self.read(shared, |sampler| sampler.glance().map(Some)).await else {
            return Ok(());
        };
        self.judge.judge_processes(processes)?;
        self.judge.judge_memory(memory)
    }

    async fn sample(&mut self, shared: &Shared) -> Option<Sample> {
        self.read(shared, Sampler::look).await
    }

    /// Reads `/proc` where it may block.
    async fn read<T: Send + 'static>(
        &mut self,
        shared: &Shared,
        read: impl FnOnce(&mut Sampler) -> io::Result<Option<T>> + Send + 'static,
    ) -> Option<T> {
        if self.held_up && self.sampler.is_locked() {
            return None;
        }
        let (sampler, within) = (Arc::clone(&self.sampler), self.within);
        #[expect(
            clippy::disallowed_methods,
            reason = "joined below; where that is cut off, it ends by itself within a moment"
        )]
        let read = timeout(within, async {
            // Not within the thread: one that is held up does not keep others from looking.
            let _permit = LOOKS.acquire().await.ok();
            spawn_blocking(move || sampler.try_lock_for(within).map(|mut sampler| read(&mut sampler))).await.ok()
        });
        let read = read.await;
        self.held_up = read.is_err();
        match read {
            // The runtime is shutting down.
            Ok(None) => None,
            Ok(Some(Some(Ok(read)))) => {
                self.warned = false;
                read
            }
            read => {
                let error = match read {
                    Ok(Some(Some(Err(error)))) => error,
                    _ => io::Error::new(io::ErrorKind::TimedOut, format!("a look takes longer than {within:?}")),
                };
                if !std::mem::replace(&mut self.warned, true) {
                    tracing::warn!(
                        target: "dms::process", process = %shared.id(), %error, "cannot be looked at in `/proc`: it is held to no limit that is watched"
                    );
                }
                None
            }
        }
    }
}

/// How many steps there are from one look to the next.
fn steps(every: Duration, limits: &ResourceLimits) -> u32 {
    let counts = if limits.processes.is_some() { COUNTS } else { 1 };
    let glances = if limits.memory.is_some() { every.as_nanos().div_ceil(GLANCE.as_nanos()) } else { 1 };
    counts.max(u32::try_from(glances).unwrap_or(u32::MAX))
}

/// Tells that a process is near a limit.
fn near(shared: &Shared, level: LimitLevel, figures: Figures) {
    let Figures { limit, allowed, used } = figures;
    let id = shared.id().clone();
    tracing::warn!(target: "dms::process", process = %id, %limit, %used, %allowed, ?level, "near its limit");
    shared.publish(LimitNear { id, pid: shared.child().map(|child| child.pid()), limit, level, allowed, used });
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn monitor() -> Monitor {
        let sampler = Sampler::new(rustix::process::getpgrp(), true, None);
        Monitor {
            sampler: Arc::new(Mutex::new(sampler)),
            judge: Judge::new(ResourceLimits::new()),
            every: EVERY,
            steps: 1,
            busy_above: BUSY_ABOVE,
            used_to_the_end: Duration::ZERO,
            warned: false,
            within: Duration::from_millis(20),
            held_up: false,
        }
    }

    #[tokio::test]
    async fn looks_that_are_held_up_keep_nobody_else_from_looking() {
        let shared = Shared::new(ProcessConfig::new("held-up", "true"));
        let mut held = Vec::new();
        for _ in 0..8 {
            let (goes_on, waits) = mpsc::channel::<()>();
            let mut monitor = monitor();
            let seen = monitor.read(&shared, move |_| Ok(waits.recv().ok())).await;
            assert!(seen.is_none() && monitor.held_up && monitor.warned);
            assert!(monitor.read(&shared, |_| Ok(Some(()))).await.is_none(), "one look at a time");
            held.push((goes_on, monitor));
        }
        // What looks now does not hurry.
        let mut other = Monitor { within: Duration::from_mins(1), ..monitor() };
        assert!(other.sample(&shared).await.is_some());
        for (goes_on, mut monitor) in held {
            drop(goes_on);
            monitor.held_up = false;
            monitor.within = Duration::from_mins(1);
            assert!(monitor.sample(&shared).await.is_some(), "it looks again");
        }
    }

    #[test]
    fn where_memory_has_a_limit_it_is_looked_at_ten_times_a_second_at_least() {
        let none = ResourceLimits::new();
        assert_eq!(steps(EVERY, &none), 1);
        assert_eq!(steps(EVERY, &none.memory(1)), 10);
        assert_eq!(steps(GLANCE / 2, &none.memory(1)), 1);
        assert_eq!(steps(GLANCE / 2, &none.processes(1)), COUNTS);
        assert!(LONGEST / steps(LONGEST, &none.memory(1)) <= GLANCE);
    }
}
