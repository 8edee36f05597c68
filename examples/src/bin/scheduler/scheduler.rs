//! Who runs when: every job that is ready gets a slice before any gets its next.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use dms::event::{ConfigChanged, MemoryPressure, PressureLevel};
use dms::prelude::*;
use serde::{Deserialize, Serialize};

use super::job::Job;
use super::ledger::{Begin, Close, Enter, Ledger, Open, State};
use super::worker::{Slice, Worker, WorkerRef as _};

/// Schedules jobs round robin.
#[module(name = "scheduler", version = "1.0.0", flags(SCHEDULER), depends("ledger >= 1"), provides("scheduling"))]
#[derive(Default)]
pub(crate) struct Scheduler {
    settings: Settings,
    /// What a running scheduler has, from `init` on.
    hands: Option<Hands>,
    /// What waits for its next slice, and the number of each.
    ready: VecDeque<(usize, Job)>,
    submitted: usize,
    done: usize,
    refused: usize,
    shed: usize,
    lost: usize,
    pressure: PressureLevel,
    waiting: Vec<ReplyTo<()>>,
}

/// Whom the scheduler works with.
struct Hands {
    ledger: ModuleRef<Ledger>,
    workers: Vec<ModuleRef<Worker>>,
    /// The workers without a job, the next to be used at the front.
    idle: VecDeque<usize>,
    /// The workers with one.
    busy: usize,
}

/// The section `[scheduler]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// How long a job runs before it is another one's turn, in milliseconds.
    quantum_ms: u64,
    /// How many jobs run at once. It is read when the scheduler starts.
    workers: usize,
}

/// What `get_status` replies.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Status {
    quantum_ms: u64,
    workers: usize,
    pub(crate) running: usize,
    pub(crate) ready: usize,
    pub(crate) done: usize,
    refused: usize,
    shed: usize,
    lost: usize,
    pressure: String,
}

/// A job is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Memory is short.
    Pressure(PressureLevel),
    /// All workers have failed.
    NoWorkers,
}

/// What became of a slice.
struct Sliced {
    number: usize,
    worker: usize,
    slice: Result<Slice, AskError>,
}

#[module(visibility = "pub(crate)")]
impl Scheduler {
    #[init]
    async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        self.settings = ctx.config_as()?;
        if self.settings.workers == 0 {
            return Err("`scheduler.workers` is 0: without a worker nothing runs".into());
        }
        let ledger = ctx.dependency::<Ledger>()?;
        let mut workers = Vec::with_capacity(self.settings.workers);
        for number in 0..self.settings.workers {
            workers.push(ctx.register_module(Worker::default()).name(format!("worker-{number}")).await?);
        }
        let idle = (0..workers.len()).collect();
        self.hands = Some(Hands { ledger, workers, idle, busy: 0 });
        Ok(())
    }

    /// Puts a job at the end of the line, and gives its number.
    #[handler(Submit)]
    async fn submit(&mut self, job: Job, ctx: &mut Context<Self>) -> Result<usize, Refused> {
        let Some(hands) = &self.hands else { return Err(Refused::NoWorkers) };
        let number = self.submitted;
        self.submitted += 1;
        let refusal = if hands.idle.is_empty() && hands.busy == 0 {
            Some(Refused::NoWorkers)
        } else {
            (self.pressure >= PressureLevel::Medium).then_some(Refused::Pressure(self.pressure))
        };
        let state = if refusal.is_some() { State::Refused } else { State::Waiting };
        let _ = hands.ledger.send(Open { job: job.clone(), state }).await;
        if let Some(refusal) = refusal {
            self.refused += 1;
            return Err(refusal);
        }
        self.ready.push_back((number, job));
        self.dispatch(ctx);
        Ok(number)
    }

    /// A worker is through with a slice.
    #[handler]
    async fn sliced(&mut self, sliced: Sliced, ctx: &mut Context<Self>) {
        let Sliced { number, worker, slice } = sliced;
        let Some(hands) = &mut self.hands else { return };
        hands.busy -= 1;
        match slice {
            Ok(Slice { job, begun, took }) => {
                hands.idle.push_back(worker);
                let _ = hands.ledger.send(Enter { number, worker, job: job.clone(), begun, took }).await;
                if job.is_done() {
                    self.done += 1;
                } else {
                    self.ready.push_back((number, job));
                }
            }
            // The worker is gone, and the job with it; the others go on.
            Err(error) => {
                eprintln!("scheduler: worker-{worker} lost job {number}: {error}");
                self.lost += 1;
                let _ = hands.ledger.send(Close { number, state: State::Lost }).await;
                if hands.idle.is_empty() && hands.busy == 0 {
                    self.lose_ready(State::Lost, |_| true).await;
                }
            }
        }
        self.dispatch(ctx);
        self.tell_if_idle();
    }

    /// Answers when every job has ended, in one way or the other.
    #[handler(Finished)]
    fn finished(&mut self, reply: ReplyTo<()>) {
        self.waiting.push(reply);
        self.tell_if_idle();
    }

    /// For whoever asks by name.
    #[handler(GetStatus, remote)]
    fn get_status(&self) -> Status {
        let hands = self.hands.as_ref();
        Status {
            quantum_ms: self.settings.quantum_ms,
            workers: hands.map_or(0, |hands| hands.idle.len() + hands.busy),
            running: hands.map_or(0, |hands| hands.busy),
            ready: self.ready.len(),
            done: self.done,
            refused: self.refused,
            shed: self.shed,
            lost: self.lost,
            pressure: self.pressure.to_string(),
        }
    }

    /// Under medium pressure no job is taken; under critical pressure those that have not begun are let go. What has begun ends.
    #[event]
    async fn on_memory_pressure(&mut self, event: &MemoryPressure) -> EventResponse {
        self.pressure = event.level;
        if event.level < PressureLevel::Critical {
            return EventResponse::Ignored;
        }
        self.lose_ready(State::Shed, |job| !job.has_begun()).await;
        self.tell_if_idle();
        EventResponse::Handled
    }

    /// A new quantum holds from the next slice on.
    #[event]
    fn on_config_changed(&mut self, _: &ConfigChanged, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        let workers = self.settings.workers;
        self.settings = Settings { workers, ..ctx.config_as()? };
        Ok(())
    }
}

impl Scheduler {
    /// Gives each worker without a job the next that is ready.
    fn dispatch(&mut self, ctx: &mut Context<Self>) {
        let Some(hands) = &mut self.hands else { return };
        while !hands.idle.is_empty()
            && let Some((number, job)) = self.ready.pop_front()
            && let Some(worker) = hands.idle.pop_front()
        {
            hands.busy += 1;
            if !job.has_begun() {
                let _ = hands.ledger.try_send(Begin { number });
            }
            let (runner, quantum) = (hands.workers[worker].clone(), Duration::from_millis(self.settings.quantum_ms));
            ctx.spawn("slice", async move { runner.run_slice(job, quantum).no_timeout().await })
                .then(move |slice| Sliced { number, worker, slice }, ctx);
        }
    }

    /// Lets go of jobs that wait.
    async fn lose_ready(&mut self, state: State, is_lost: impl Fn(&Job) -> bool) {
        let Some(hands) = &self.hands else { return };
        for (number, job) in std::mem::take(&mut self.ready) {
            if !is_lost(&job) {
                self.ready.push_back((number, job));
                continue;
            }
            match state {
                State::Shed => self.shed += 1,
                _ => self.lost += 1,
            }
            let _ = hands.ledger.send(Close { number, state }).await;
        }
    }

    fn tell_if_idle(&mut self) {
        if self.ready.is_empty() && self.hands.as_ref().is_none_or(|hands| hands.busy == 0) {
            self.waiting.drain(..).for_each(|reply| reply.send(()));
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pressure(level) => write!(f, "memory pressure is {level}"),
            Self::NoWorkers => f.write_str("no worker is left"),
        }
    }
}
