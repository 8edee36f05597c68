//! Random programs against a model of the contract: the fate of every message, and the order in which they are handled.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use dms::{AskError, ModuleRef, Overflow, SendError, System};
use dms_tests::{Do, Flavor, Log, Note, Puppet, act, cases, puppet, settle};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use tokio::task::JoinHandle;
use tokio::time::sleep;

const MODULES: usize = 3;

/// One step of a program. Times are milliseconds.
#[derive(Debug, Clone)]
enum Step {
    /// The handler takes this long, then panics if told so.
    Send {
        to: usize,
        work: u64,
        panics: bool,
    },
    /// An ask with a deadline, or none.
    Ask {
        to: usize,
        work: u64,
        panics: bool,
        within: Option<u64>,
    },
    SendAfter {
        to: usize,
        delay: u64,
    },
    Tick {
        to: usize,
        interval: u64,
    },
    Untick {
        nth: usize,
    },
    Stop {
        which: usize,
    },
    Drain {
        which: usize,
    },
    Wait {
        time: u64,
    },
}

/// What a caller is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Accepted,
    Returned,
    Full,
    Answered,
    Panicked,
    Stopped,
    Timeout,
    Dropped,
}

/// How an execution ended: what callers were told, and for each module what it handled and how many were undelivered.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    told: BTreeMap<u64, Told>,
    handled: Vec<Vec<u64>>,
    undelivered: Vec<u64>,
    failed: Vec<bool>,
    /// Asks whose deadline may pass before they are told of the stop: those in the batch in hand, see `asks.rs`.
    told_late: Vec<u64>,
}

type Bounds = Vec<Option<(usize, Overflow)>>;

// ---- the model ----

#[derive(Clone)]
struct Message {
    id: u64,
    work: u64,
    panics: bool,
    asked: bool,
    deadline: Option<u64>,
}

struct Timer {
    id: u64,
    next: u64,
    interval: Option<u64>,
}

/// One module: a first-in-first-out server.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "they are independent of each other")]
struct Model {
    now: u64,
    bound: Option<(usize, Overflow)>,
    queue: VecDeque<Message>,
    /// The handler in hand and when it ends.
    busy: Option<(u64, Message)>,
    timers: Vec<Timer>,
    refuses: bool,
    stopping: bool,
    ended: bool,
    failed: bool,
    handled: Vec<u64>,
    undelivered: u64,
    told: BTreeMap<u64, Told>,
    told_late: Vec<u64>,
    /// Two things at the same millisecond, whose order the contract leaves open.
    ambiguous: bool,
}

impl Model {
    fn tell(&mut self, message: &Message, told: Told) {
        self.ambiguous |= message.deadline == Some(self.now);
        let late = message.deadline.is_some_and(|deadline| deadline <= self.now);
        if message.asked {
            self.told.entry(message.id).or_insert(if late { Told::Timeout } else { told });
        }
    }

    fn lose(&mut self, message: &Message, told: Told) {
        self.undelivered += 1;
        self.tell(message, told);
    }

    /// A message comes from outside; says what its sender is told.
    fn offer(&mut self, message: Message) -> Told {
        if self.refuses {
            return Told::Returned;
        }
        if let Some((capacity, overflow)) = self.bound
            && self.queue.len() >= capacity
        {
            match overflow {
                Overflow::Wait | Overflow::Reject => return Told::Full,
                Overflow::DropNewest => {
                    self.lose(&message, Told::Dropped);
                    return Told::Accepted;
                }
                Overflow::DropOldest => {
                    if let Some(oldest) = self.queue.pop_front() {
                        self.lose(&oldest, Told::Dropped);
                    }
                }
            }
        }
        self.queue.push_back(message);
        self.serve();
        Told::Accepted
    }

    /// Begins handlers until one takes time.
    fn serve(&mut self) {
        while self.busy.is_none() && !self.ended {
            let Some(message) = self.queue.pop_front().filter(|_| !self.stopping) else {
                if self.refuses {
                    self.end();
                }
                return;
            };
            if message.deadline.is_some_and(|deadline| deadline <= self.now) {
                self.tell(&message, Told::Timeout);
                continue;
            }
            self.handled.push(message.id);
            self.busy = Some((self.now + message.work, message.clone()));
            if message.work == 0 {
                self.finish();
            }
        }
    }

    fn finish(&mut self) {
        let Some((_, message)) = self.busy.take() else { return };
        self.tell(&message, if message.panics { Told::Panicked } else { Told::Answered });
        if message.panics {
            self.failed = true;
            self.end();
        }
    }

    fn stop(&mut self) {
        self.refuses = true;
        self.stopping = true;
        if self.busy.is_some() {
            self.told_late.extend(self.queue.iter().map(|message| message.id));
        }
        self.lose_queue();
        self.serve();
    }

    fn drain(&mut self) {
        self.refuses = true;
        self.serve();
    }

    fn lose_queue(&mut self) {
        for message in std::mem::take(&mut self.queue) {
            self.lose(&message, Told::Stopped);
        }
    }

    fn end(&mut self) {
        self.ended = true;
        self.refuses = true;
        self.lose_queue();
        self.undelivered += self.timers.drain(..).filter(|timer| timer.interval.is_none()).count() as u64;
    }

    /// Lets time pass, from one event to the next.
    fn pass_to(&mut self, until: u64) {
        loop {
            let due = self.timers.iter().map(|timer| timer.next).min();
            let done = self.busy.as_ref().map(|(time, _)| *time);
            let Some(now) = due.into_iter().chain(done).min().filter(|time| *time <= until) else { break };
            self.ambiguous |= now == until || due == done;
            self.now = now;
            if due == Some(now) {
                self.fire();
            } else {
                self.finish();
                self.serve();
            }
        }
        self.now = until;
        let waiting = self.queue.iter().chain(self.busy.as_ref().map(|(_, message)| message));
        let late: Vec<_> = waiting.filter(|message| message.deadline.is_some_and(|at| at <= until)).cloned().collect();
        for message in late {
            self.tell(&message, Told::Timeout);
        }
    }

    fn fire(&mut self) {
        // Requests made earlier come first.
        let Some(at) = self.timers.iter().position(|timer| timer.next == self.now) else { return };
        let (id, interval) = (self.timers[at].id, self.timers[at].interval);
        match interval {
            Some(interval) if !self.refuses => self.timers[at].next += interval,
            _ => drop(self.timers.remove(at)),
        }
        if self.refuses {
            self.undelivered += u64::from(interval.is_none());
        } else {
            self.queue.push_back(Message { id, work: 0, panics: false, asked: false, deadline: None });
            self.serve();
        }
    }
}

/// What the contract says of a program; nothing where it leaves the order open.
fn predict(program: &[Step], bounds: &Bounds) -> Option<Outcome> {
    let mut models: Vec<_> = bounds.iter().map(|bound| Model { bound: *bound, ..Model::default() }).collect();
    let mut outcome = Outcome::default();
    let mut now = 0;
    let mut ticks = Vec::new();
    for (id, step) in (0..).zip(program) {
        match *step {
            Step::Send { to, work, panics } => {
                let told = models[to].offer(Message { id, work, panics, asked: false, deadline: None });
                outcome.told.insert(id, told);
            }
            Step::Ask { to, work, panics, within } => {
                let deadline = within.map(|within| now + within);
                match models[to].offer(Message { id, work, panics, asked: true, deadline }) {
                    Told::Accepted => {}
                    Told::Returned => drop(outcome.told.insert(id, Told::Stopped)),
                    told => drop(outcome.told.insert(id, told)),
                }
            }
            Step::SendAfter { to, delay } => {
                if models[to].ended {
                    models[to].undelivered += 1;
                } else {
                    models[to].timers.push(Timer { id, next: now + delay, interval: None });
                }
            }
            Step::Tick { to, interval } => {
                ticks.push((to, id));
                if !models[to].ended {
                    models[to].timers.push(Timer { id, next: now + interval, interval: Some(interval) });
                }
            }
            Step::Untick { nth } => {
                if let Some((to, id)) = ticks.get(nth) {
                    models[*to].timers.retain(|timer| timer.id != *id);
                }
            }
            Step::Stop { which } => models[which].stop(),
            Step::Drain { which } => models[which].drain(),
            Step::Wait { time } => {
                now += time;
                for model in &mut models {
                    model.pass_to(now);
                }
            }
        }
    }
    // At last the system is shut down, and handlers that run finish.
    for model in &mut models {
        if !model.ended {
            model.stop();
            model.pass_to(u64::MAX / 2);
        }
    }
    if models.iter().any(|model| model.ambiguous) {
        return None;
    }
    for model in models {
        assert!(model.ended);
        outcome.told.extend(model.told);
        outcome.told_late.extend(model.told_late);
        outcome.handled.push(model.handled);
        outcome.undelivered.push(model.undelivered);
        outcome.failed.push(model.failed);
    }
    Some(outcome)
}

// ---- the real thing ----

fn message(id: u64, work: u64, panics: bool, log: &Log<u64>) -> Do<()> {
    let log = log.clone();
    act(async move {
        log.push(id);
        if work > 0 {
            sleep(Duration::from_millis(work)).await;
        }
        if panics {
            std::panic::resume_unwind(Box::new("as told"));
        }
    })
}

fn told_of(answer: &Result<(), AskError>) -> Told {
    match answer {
        Ok(()) => Told::Answered,
        Err(AskError::Panicked { .. }) => Told::Panicked,
        Err(AskError::Stopped { .. }) => Told::Stopped,
        Err(AskError::Timeout { .. }) => Told::Timeout,
        Err(AskError::Dropped { .. }) => Told::Dropped,
        Err(AskError::Full { .. }) => Told::Full,
        Err(error) => panic!("{error}"),
    }
}

async fn execute(program: &[Step], bounds: &Bounds) -> Outcome {
    let system = System::new();
    let logs: Vec<Log<u64>> = (0..MODULES).map(|_| Log::new()).collect();
    let mut modules: Vec<ModuleRef<Puppet>> = Vec::new();
    for (bound, log) in bounds.iter().zip(&logs) {
        let mut registration = system.register_module(puppet(log));
        if let Some((capacity, overflow)) = *bound {
            registration = registration.mailbox(capacity).overflow(overflow);
        }
        modules.push(registration.await.unwrap());
    }
    let mut outcome = Outcome::default();
    let mut asks: Vec<(u64, JoinHandle<Result<(), AskError>>)> = Vec::new();
    let mut ticks = Vec::new();
    for (id, step) in (0..).zip(program) {
        match *step {
            Step::Send { to, work, panics } => {
                let told = match modules[to].try_send(message(id, work, panics, &logs[to])) {
                    Ok(()) => Told::Accepted,
                    Err(SendError::Full(..)) => Told::Full,
                    Err(SendError::Stopped(..)) => Told::Returned,
                    Err(error) => panic!("{error}"),
                };
                outcome.told.insert(id, told);
            }
            Step::Ask { to, work, panics, within } => {
                let (module, message) = (modules[to].clone(), message(id, work, panics, &logs[to]));
                asks.push((
                    id,
                    tokio::spawn(async move {
                        match within {
                            Some(within) => module.ask(message).timeout(Duration::from_millis(within)).await,
                            None => module.ask(message).no_timeout().await,
                        }
                    }),
                ));
            }
            Step::SendAfter { to, delay } => {
                modules[to].send_after(Note(id), Duration::from_millis(delay));
            }
            Step::Tick { to, interval } => {
                ticks.push(modules[to].request_tick(Note(id), Duration::from_millis(interval)));
            }
            Step::Untick { nth } => {
                if let Some(tick) = ticks.get(nth) {
                    tick.stop();
                }
            }
            Step::Stop { which } => drop(futures::poll!(std::pin::pin!(modules[which].stop()))),
            Step::Drain { which } => drop(futures::poll!(std::pin::pin!(modules[which].drain()))),
            Step::Wait { time } => sleep(Duration::from_millis(time)).await,
        }
        settle().await;
    }
    system.shutdown().await;
    for (id, ask) in asks {
        outcome.told.insert(id, told_of(&ask.await.unwrap()));
    }
    for (module, log) in modules.iter().zip(logs) {
        let report = module.stopped().await;
        outcome.handled.push(log.all());
        outcome.undelivered.push(report.undelivered);
        outcome.failed.push(report.failure.is_some());
    }
    outcome
}

fn step() -> impl Strategy<Value = Step> {
    let to = 0..MODULES;
    let work = prop_oneof![3 => Just(0_u64), 2 => 1..3_000_u64];
    let panics = prop::bool::weighted(0.05);
    let within = prop_oneof![3 => Just(None), 1 => (1..4_000_u64).prop_map(Some)];
    prop_oneof![
        8 => (to.clone(), work.clone(), panics).prop_map(|(to, work, panics)| Step::Send { to, work, panics }),
        6 => (to.clone(), work, panics, within).prop_map(|(to, work, panics, within)| Step::Ask { to, work, panics, within }),
        2 => (to.clone(), 1..5_000_u64).prop_map(|(to, delay)| Step::SendAfter { to, delay }),
        2 => (to.clone(), 101..5_000_u64).prop_map(|(to, interval)| Step::Tick { to, interval }),
        1 => (0..4_usize).prop_map(|nth| Step::Untick { nth }),
        1 => to.clone().prop_map(|which| Step::Stop { which }),
        1 => to.prop_map(|which| Step::Drain { which }),
        6 => (1..4_000_u64).prop_map(|time| Step::Wait { time }),
    ]
}

fn bounds() -> impl Strategy<Value = Bounds> {
    let overflow = prop_oneof![Just(Overflow::Reject), Just(Overflow::DropOldest), Just(Overflow::DropNewest)];
    prop::collection::vec(prop::option::weighted(0.4, (1..4_usize, overflow)), MODULES)
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: cases(256, 20_000),
        max_global_rejects: 1_000_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn m3_every_message_has_the_fate_that_the_contract_says(
        program in prop::collection::vec(step(), 1..80),
        bounds in bounds(),
    ) {
        let predicted = predict(&program, &bounds);
        prop_assume!(predicted.is_some());
        let mut predicted = predicted.unwrap();
        let outcome = Flavor::Paused.run(|| execute(&program, &bounds));
        for ask in std::mem::take(&mut predicted.told_late) {
            if outcome.told.get(&ask) == Some(&Told::Timeout) && predicted.told.get(&ask) == Some(&Told::Stopped) {
                predicted.told.insert(ask, Told::Timeout);
            }
        }
        prop_assert_eq!(&outcome.told, &predicted.told);
        prop_assert_eq!(&outcome, &predicted);
    }
}

/// The model itself sees every fate, so that the test above compares something.
#[test]
fn the_random_programs_come_to_every_fate() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = (prop::collection::vec(step(), 1..80), bounds());
    let (mut fates, mut predicted, mut undelivered, mut failed) = (BTreeMap::new(), 0, 0, 0);
    for _ in 0..300 {
        let (program, bounds) = strategy.new_tree(&mut runner).unwrap().current();
        let Some(outcome) = predict(&program, &bounds) else { continue };
        predicted += 1;
        undelivered += outcome.undelivered.iter().sum::<u64>();
        failed += outcome.failed.iter().filter(|failed| **failed).count();
        for told in outcome.told.into_values() {
            *fates.entry(format!("{told:?}")).or_insert(0) += 1;
        }
    }
    assert!(predicted > 150 && undelivered > 500 && failed > 50, "{predicted} {undelivered} {failed}");
    assert_eq!(fates.len(), 8, "{fates:?}");
    assert!(fates.values().all(|count| *count > 20), "{fates:?}");
}
