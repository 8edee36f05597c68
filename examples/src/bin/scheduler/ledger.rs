//! Who keeps what ran where, and draws it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use dms::prelude::*;

use super::job::Job;

/// Keeps what ran where.
#[module(name = "ledger", version = "1.0.0")]
#[derive(Default)]
pub(crate) struct Ledger {
    jobs: Vec<Account>,
    /// Which job each worker ran in its slices.
    lanes: Vec<Vec<usize>>,
}

/// What is known of one job.
struct Account {
    job: Job,
    state: State,
    submitted: Instant,
    ended: Option<Instant>,
    ran: Duration,
    /// The slices by worker.
    slices: BTreeMap<usize, u64>,
}

/// How it is with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Waiting,
    Running,
    Done,
    Refused,
    Shed,
    Lost,
}

impl State {
    fn text(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Shed => "shed",
            Self::Lost => "lost",
        }
    }
}

/// Letters of lanes, one a job.
const LETTERS: &[u8; 52] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// So many slices of a lane are drawn.
const LANE: usize = 64;

#[module]
impl Ledger {
    /// A job was submitted. Jobs are numbered as they come.
    #[handler(Open)]
    fn open(&mut self, job: Job, state: State) {
        let submitted = Instant::now();
        self.jobs.push(Account { job, state, submitted, ended: None, ran: Duration::ZERO, slices: BTreeMap::new() });
    }

    /// A worker has a job for the first time.
    #[handler(Begin)]
    fn begin(&mut self, number: usize) {
        if let Some(account) = self.jobs.get_mut(number) {
            account.state = State::Running;
        }
    }

    /// A worker ran a slice of a job.
    #[handler(Enter)]
    fn enter(&mut self, number: usize, worker: usize, job: Job, begun: Instant, took: Duration) {
        if self.lanes.len() <= worker {
            self.lanes.resize_with(worker + 1, Vec::new);
        }
        self.lanes[worker].push(number);
        let Some(account) = self.jobs.get_mut(number) else { return };
        if job.is_done() {
            account.state = State::Done;
        }
        account.job = job;
        account.ran += took;
        account.ended = Some(begun + took);
        *account.slices.entry(worker).or_default() += 1;
    }

    /// A job ended in another way than by being done.
    #[handler(Close)]
    fn close(&mut self, number: usize, state: State) {
        if let Some(account) = self.jobs.get_mut(number) {
            account.state = state;
        }
    }

    /// Who ran when, and what became of each job.
    #[handler(Draw)]
    fn draw(&self) -> String {
        let mut drawing = String::new();
        for (worker, lane) in self.lanes.iter().enumerate() {
            let _ = write!(drawing, "worker-{worker}  ");
            drawing.extend(lane.iter().take(LANE).map(|number| letter(*number)));
            let _ = match lane.len().saturating_sub(LANE) {
                0 => writeln!(drawing),
                more => writeln!(drawing, " and {more} more"),
            };
        }
        if !self.lanes.is_empty() {
            drawing.push('\n');
        }
        let wide = self.jobs.iter().map(|account| account.job.name.chars().count()).fold(3, usize::max);
        let _ = write!(drawing, "   {:wide$}  {:>9}  {:>8}  state  ", "job", "below", "primes");
        for worker in 0..self.lanes.len() {
            let _ = write!(drawing, "  worker-{worker}");
        }
        let _ = writeln!(drawing, "   ran ms  waited ms");
        for (number, account) in self.jobs.iter().enumerate() {
            let Job { name, limit, primes, .. } = &account.job;
            let state = account.state.text();
            let _ = write!(drawing, "{}  {name:wide$}  {limit:>9}  {primes:>8}  {state:7}", letter(number));
            for worker in 0..self.lanes.len() {
                let _ = write!(drawing, "  {:>8}", account.slices.get(&worker).copied().unwrap_or(0));
            }
            let lived = account.ended.map_or(Duration::ZERO, |ended| ended - account.submitted);
            let waited = lived.saturating_sub(account.ran);
            let _ = writeln!(drawing, "  {:>7}  {:>9}", account.ran.as_millis(), waited.as_millis());
        }
        drawing
    }
}

fn letter(number: usize) -> char {
    LETTERS[number % LETTERS.len()].into()
}
