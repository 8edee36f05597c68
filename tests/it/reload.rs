//! Modules whose place another value takes while they run.

use std::collections::HashMap;
use std::future::pending;
use std::time::Duration;

use dms::event::{Down, Reloaded};
use dms::prelude::*;
use dms::recovery::{Backoff, Restart};
use dms::{AskError, Failure, ModuleState, ReloadError, ReloadOutcome, Snapshot, SnapshotError, SystemRef, Version};
use dms_tests::{Held, Log, eventually, hold, on_every_runtime, on_paused, settle};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// Without a wait, and as often as it takes.
const AT_ONCE: Restart = Restart::on_failure()
    .max_restarts(u32::MAX, Duration::from_millis(1))
    .backoff(Backoff::new(Duration::ZERO, Duration::ZERO));

/// What goes wrong with a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Flaw {
    #[default]
    None,
    InitFails,
    InitPanics,
    InitHangs,
    StartFails,
    StartPanics,
    /// A task that it begins in `init` fails, and then `start` waits.
    TaskFails,
    StopFails,
    StopHangs,
    DropPanics,
    /// It begins a task and a child, and then `start` fails.
    LeavesThings,
}

#[module(name = "counter", version = "1.2.0", flags(HOT_RELOADABLE))]
#[derive(Clone)]
struct Counter {
    label: &'static str,
    flaw: Flaw,
    log: Log<String>,
    /// What was added: by whom, and which of theirs it was.
    seen: Log<(u32, u64)>,
    count: u64,
}

impl Counter {
    fn new(label: &'static str, log: &Log<String>) -> Self {
        Self { label, flaw: Flaw::None, log: log.clone(), seen: Log::new(), count: 0 }
    }

    fn with(mut self, flaw: Flaw) -> Self {
        self.flaw = flaw;
        self
    }

    fn at(mut self, count: u64) -> Self {
        self.count = count;
        self
    }

    fn seeing(mut self, seen: &Log<(u32, u64)>) -> Self {
        self.seen = seen.clone();
        self
    }

    fn note(&self, what: &str) {
        self.log.push(format!("{what} {}", self.label));
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.note("drop");
        assert_ne!(self.flaw, Flaw::DropPanics, "it panics when it is dropped");
    }
}

#[module]
struct Child(&'static str, Log<String>);

#[module]
impl Child {
    #[stop]
    fn stop(&mut self) {
        self.1.push(format!("stop the child of {}", self.0));
    }
}

#[module]
impl Counter {
    #[init]
    async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        self.note("init");
        match self.flaw {
            Flaw::InitFails => return Err("no init".into()),
            Flaw::InitPanics => panic!("init panics"),
            Flaw::InitHangs => pending().await,
            Flaw::TaskFails => drop(ctx.spawn("task", async { Err::<(), _>(ModuleError::from("no task")) })),
            Flaw::LeavesThings => {
                let dropped = Dropped("task", self.log.clone());
                ctx.spawn("task", async move {
                    let _dropped = dropped;
                    pending::<()>().await;
                });
                let _child = ctx.register_module(Child(self.label, self.log.clone())).await?;
            }
            _ => {}
        }
        Ok(())
    }

    #[start]
    async fn start(&mut self) -> Result<(), ModuleError> {
        self.note("start");
        match self.flaw {
            Flaw::StartFails | Flaw::LeavesThings => Err("no start".into()),
            Flaw::StartPanics => panic!("start panics"),
            Flaw::TaskFails => pending().await,
            _ => Ok(()),
        }
    }

    #[handler(Add)]
    fn add(&mut self, who: u32, number: u64) -> u64 {
        self.count += 1;
        self.seen.push((who, number));
        self.count
    }

    #[handler(Get)]
    fn get(&self) -> (&'static str, u64) {
        (self.label, self.count)
    }

    #[handler(Wait)]
    async fn wait(&mut self, until: Until) {
        (until.0).await;
    }

    #[handler(Boom)]
    fn boom(&self) {
        panic!("boom");
    }

    #[handler(Adopt)]
    async fn adopt(&self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        ctx.register_module(Child(self.label, self.log.clone())).await?;
        let dropped = Dropped("task of the old one", self.log.clone());
        ctx.spawn("task", async move {
            let _dropped = dropped;
            pending::<()>().await;
        });
        Ok(())
    }

    #[handler(ReloadYourself)]
    async fn reload_yourself(&self, new: Box<Counter>, ctx: &mut Context<Self>) -> ReloadOutcome {
        let report = ctx.self_ref().reload(*new).await.unwrap();
        self.note("asked");
        report.outcome
    }

    #[stop]
    async fn stop(&mut self) -> Result<(), ModuleError> {
        self.note("stop");
        match self.flaw {
            Flaw::StopFails => Err("no stop".into()),
            Flaw::StopHangs => pending().await,
            _ => Ok(()),
        }
    }
}

struct Until(std::pin::Pin<Box<dyn Future<Output = ()> + Send>>);

fn until() -> (Until, Held) {
    let (until, held) = hold();
    (Until(Box::pin(until)), held)
}

/// Notes that it is dropped.
struct Dropped(&'static str, Log<String>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.1.push(format!("drop the {}", self.0));
    }
}

#[test]
fn another_value_takes_the_place_and_the_old_one_is_stopped_once_the_new_one_has_started() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let counter = system.register_module(Counter::new("old", &log).at(41)).await.unwrap();
        let (id, name) = (counter.id(), counter.name());
        let report = counter.reload(Counter::new("new", &log).at(100)).await.unwrap();
        assert_eq!((report.incarnation, report.migrated, report.outcome), (2, false, ReloadOutcome::Reloaded));
        assert_eq!((report.old.to_string(), report.new.to_string()), ("1.2.0".to_owned(), "1.2.0".to_owned()));
        assert_eq!(report.module, counter);
        assert_eq!(counter.get().await.unwrap(), ("new", 100));
        assert_eq!((counter.id(), counter.name(), counter.incarnation()), (id, name, 2));
        assert_eq!(counter.state(), ModuleState::Running);
        assert_eq!(system.get::<Counter>("counter").unwrap(), counter);
        assert_eq!(log.all(), ["init old", "start old", "init new", "start new", "stop old", "drop old"]);
        let report = system.shutdown().await;
        assert_eq!((report.undelivered, report.failure), (0, None));
        assert_eq!(log.all()[6..], ["stop new", "drop new"]);
    });
}

#[test]
fn the_old_one_goes_on_where_any_step_of_the_new_one_fails() {
    on_every_runtime(|| async {
        for flaw in [Flaw::InitFails, Flaw::InitPanics, Flaw::StartFails, Flaw::StartPanics, Flaw::TaskFails] {
            let (system, log) = (System::new(), Log::new());
            let counter = system.register_module(Counter::new("old", &log).at(41)).await.unwrap();
            let error = counter.reload(Counter::new("new", &log).with(flaw)).await.unwrap_err();
            let module = "counter".to_owned();
            let expected = match flaw {
                Flaw::InitFails => ReloadError::Hook { module, hook: "init", text: "no init".to_owned() },
                Flaw::InitPanics => ReloadError::Panicked { module, place: "init", text: "init panics".to_owned() },
                Flaw::StartFails => ReloadError::Hook { module, hook: "start", text: "no start".to_owned() },
                Flaw::StartPanics => ReloadError::Panicked { module, place: "start", text: "start panics".to_owned() },
                _ => {
                    let failure = Failure::Task { task: "task".to_owned(), text: "no task".to_owned() };
                    ReloadError::Failed { module, failure }
                }
            };
            assert_eq!(error, expected);
            assert_eq!(counter.get().await.unwrap(), ("old", 41), "{flaw:?}");
            assert_eq!((counter.incarnation(), counter.state()), (1, ModuleState::Running));
            assert_eq!(log.all().last().unwrap(), "drop new");
            assert!(!log.all().contains(&"stop old".to_owned()), "{flaw:?}");
            let entry = &counter.reloads()[0];
            assert_eq!((&entry.outcome, entry.migrated), (&ReloadOutcome::Failed(error), false));
            // The next one is not held against it.
            counter.reload(Counter::new("third", &log).at(7)).await.unwrap();
            assert_eq!(counter.get().await.unwrap(), ("third", 7));
            assert_eq!(system.shutdown().await.failure, None);
        }
    });
}

#[test]
fn a_constructor_that_panics_leaves_the_old_one_where_it_is() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let counter = system.register_module(Counter::new("old", &log).at(41)).await.unwrap();
        let error = counter.reload_with::<Counter>(|_| panic!("cannot be built")).await.unwrap_err();
        let text = "cannot be built".to_owned();
        assert_eq!(error, ReloadError::Panicked { module: "counter".to_owned(), place: "new", text });
        assert_eq!(counter.get().await.unwrap(), ("old", 41));
        assert_eq!(log.all(), ["init old", "start old"]);
        system.shutdown().await;
    });
}

#[test]
fn a_new_one_that_hangs_is_given_up_in_time() {
    on_paused(|| async {
        let (system, log) = (System::new(), Log::new());
        let counter = system.register_module(Counter::new("old", &log).at(41)).await.unwrap();
        let begun = Instant::now();
        let reload = counter.reload(Counter::new("new", &log).with(Flaw::InitHangs)).timeout(2 * SECOND);
        let waiting = counter.clone();
        let asked = tokio::spawn(async move { waiting.get().await.unwrap() });
        let error = reload.await.unwrap_err();
        assert_eq!(error, ReloadError::TimedOut { module: "counter".to_owned(), after: 2 * SECOND, place: "init" });
        assert_eq!(begun.elapsed(), 2 * SECOND);
        assert_eq!(asked.await.unwrap(), ("old", 41));
        assert_eq!(log.all(), ["init old", "start old", "init new", "drop new"]);
        system.shutdown().await;
    });
}

#[test]
fn a_handler_that_does_not_return_in_time_keeps_the_place() {
    on_paused(|| async {
        let (system, log) = (System::new(), Log::new());
        let counter = system.register_module(Counter::new("old", &log).at(41)).await.unwrap();
        let (until, mut held) = until();
        counter.send(Wait { until }).await.unwrap();
        held.begun().await;
        let error = counter.reload(Counter::new("new", &log)).timeout(SECOND).await.unwrap_err();
        assert_eq!(error, ReloadError::TimedOut { module: "counter".to_owned(), after: SECOND, place: "a handler" });
        held.release();
        assert_eq!(counter.get().await.unwrap(), ("old", 41));
        assert_eq!(log.all(), ["init old", "start old", "drop new"]);
        assert_eq!(counter.reloads().len(), 1);
        system.shutdown().await;
    });
}

#[test]
fn what_the_new_one_began_ends_with_it_and_what_the_old_one_has_stays() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let counter = system.register_module(Counter::new("old", &log)).await.unwrap();
        counter.adopt().await.unwrap().unwrap();
        drop(log.take());
        let reload = counter.reload(Counter::new("new", &log).with(Flaw::LeavesThings));
        assert!(matches!(reload.await.unwrap_err(), ReloadError::Hook { hook: "start", .. }));
        let expected = ["init new", "start new", "drop the task", "stop the child of new", "drop new"];
        assert_eq!(log.take(), expected);
        assert_eq!(system.modules().len(), 2, "the old one and its child");
        counter.reload(Counter::new("third", &log)).await.unwrap();
        let expected = [
            "init third",
            "start third",
            "drop the task of the old one",
            "stop the child of old",
            "stop old",
            "drop old",
        ];
        assert_eq!(log.take(), expected);
        assert_eq!(system.modules().len(), 1);
        system.shutdown().await;
    });
}

#[test]
fn messages_of_many_senders_during_a_reload_are_handled_once_and_in_order() {
    on_every_runtime(|| async {
        let (system, log, seen) = (System::new(), Log::new(), Log::new());
        let at = |label, count| Counter::new(label, &log).seeing(&seen).at(count);
        let counter = system.register_module(at("old", 41)).await.unwrap();
        let senders: Vec<_> = (0..4)
            .map(|who| {
                let counter = counter.clone();
                tokio::spawn(async move {
                    for number in 0..250 {
                        counter.send(Add { who, number }).await.unwrap();
                        if number % 16 == 0 {
                            tokio::task::yield_now().await;
                        }
                    }
                })
            })
            .collect();
        let report = counter.reload(at("new", 0)).await.unwrap();
        assert_eq!(report.outcome, ReloadOutcome::Reloaded);
        for sender in senders {
            sender.await.unwrap();
        }
        assert_eq!(counter.get().await.unwrap().0, "new");
        let mut next: HashMap<u32, u64> = HashMap::new();
        for (who, number) in seen.all() {
            let next = next.entry(who).or_default();
            assert_eq!(number, *next, "of sender {who}");
            *next += 1;
        }
        assert_eq!(seen.len(), 1_000);
        assert_eq!(system.shutdown().await.undelivered, 0);
    });
}

#[test]
fn a_thousand_reloads_under_load_lose_nothing() {
    on_every_runtime(|| async {
        let (system, log, seen) = (System::new(), Log::new(), Log::new());
        let counter = system.register_module(Counter::new("any", &log).seeing(&seen)).await.unwrap();
        let (say_end, mut end) = tokio::sync::watch::channel(false);
        let asking = {
            let counter = counter.clone();
            tokio::spawn(async move {
                let (mut asked, mut longest) = (0, Duration::ZERO);
                while !*end.borrow_and_update() {
                    let begun = std::time::Instant::now();
                    counter.add(0, asked).await.unwrap();
                    longest = longest.max(begun.elapsed());
                    asked += 1;
                }
                (asked, longest)
            })
        };
        let mut pauses = Vec::new();
        for reload in 0..1_000 {
            // Each eighth one fails.
            let flaw = if reload % 8 == 7 { Flaw::StartFails } else { Flaw::None };
            let new = Counter::new("any", &log).seeing(&seen).with(flaw);
            match counter.reload(new).await {
                Ok(report) => pauses.push(report.pause),
                Err(error) => assert!(matches!(error, ReloadError::Hook { .. }), "{error}"),
            }
            drop(log.take());
        }
        say_end.send(true).unwrap();
        let (asked, longest) = asking.await.unwrap();
        assert_eq!(seen.all(), (0..asked).map(|number| (0, number)).collect::<Vec<_>>());
        assert_eq!(counter.incarnation(), 876);
        assert_eq!(counter.reloads().len(), 64, "as many as are remembered");
        pauses.sort();
        let p99 = pauses[pauses.len() * 99 / 100];
        println!("1,000 reloads, {asked} asks: pause p99 {p99:?}, longest ask {longest:?}");
        assert!(p99 <= Duration::from_millis(50), "ten times what it is to be: {p99:?}");
        assert_eq!(system.shutdown().await.undelivered, 0);
    });
}

#[test]
fn a_second_reload_meanwhile_is_refused() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let counter = system.register_module(Counter::new("old", &log)).await.unwrap();
        let (until, mut held) = until();
        counter.send(Wait { until }).await.unwrap();
        held.begun().await;
        let mut first = std::pin::pin!(counter.reload(Counter::new("new", &log)).into_future());
        assert!(futures::poll!(first.as_mut()).is_pending());
        let error = counter.reload(Counter::new("third", &log)).await.unwrap_err();
        assert_eq!(error, ReloadError::InProgress { module: "counter".to_owned() });
        held.release();
        first.await.unwrap();
        assert_eq!(counter.get().await.unwrap().0, "new");
        assert_eq!(counter.reloads().len(), 1, "what was refused has not begun");
        system.shutdown().await;
    });
}

#[test]
fn from_inside_its_handler_a_module_begins_its_own_reload() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let counter = system.register_module(Counter::new("old", &log)).await.unwrap();
        let outcome = counter.reload_yourself(Box::new(Counter::new("new", &log))).await.unwrap();
        assert_eq!(outcome, ReloadOutcome::Begun);
        assert_eq!(counter.get().await.unwrap().0, "new");
        assert_eq!(log.all()[2..], ["asked old", "init new", "start new", "stop old", "drop old"]);
        system.shutdown().await;
    });
}

#[test]
fn a_stop_during_a_reload_wins() {
    on_every_runtime(|| async {
        for drains in [false, true] {
            let (system, log) = (System::new(), Log::new());
            let counter = system.register_module(Counter::new("old", &log)).await.unwrap();
            let mut reload =
                std::pin::pin!(counter.reload(Counter::new("new", &log).with(Flaw::InitHangs)).into_future());
            assert!(futures::poll!(reload.as_mut()).is_pending());
            eventually("the new one begins", || log.all().contains(&"init new".to_owned())).await;
            counter.send(Add { who: 0, number: 0 }).await.unwrap();
            let report = if drains { counter.drain().await } else { counter.stop().await };
            let report = report.unwrap();
            assert_eq!((report.state, report.failure), (ModuleState::Stopped, None));
            assert_eq!(report.undelivered, u64::from(!drains));
            assert_eq!(reload.await.unwrap_err(), ReloadError::Stopped { module: "counter".to_owned() });
            assert_eq!(log.all()[2..], ["init new", "drop new", "stop old", "drop old"]);
            let error = counter.reload(Counter::new("late", &log)).await.unwrap_err();
            assert_eq!(error, ReloadError::Stopped { module: "counter".to_owned() });
            system.shutdown().await;
        }
    });
}

#[test]
fn a_shutdown_during_a_reload_wins() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let counter = system.register_module(Counter::new("old", &log)).await.unwrap();
        let mut reload = std::pin::pin!(counter.reload(Counter::new("new", &log).with(Flaw::InitHangs)).into_future());
        assert!(futures::poll!(reload.as_mut()).is_pending());
        let report = system.shutdown().await;
        assert!(report.complete && report.failure.is_none());
        assert_eq!(reload.await.unwrap_err(), ReloadError::Stopped { module: "counter".to_owned() });
        assert_eq!(log.all().last().unwrap(), "drop old");
    });
}

#[test]
fn a_panic_while_a_reload_waits_is_met_by_the_policy_first() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let factory = log.clone();
        let counter = system.register_with(move |_| Counter::new("built", &factory)).restart(AT_ONCE).await.unwrap();
        let (until, mut held) = until();
        counter
            .send(Wait {
                until: Until(Box::pin(async move {
                    until.0.await;
                    panic!("boom")
                })),
            })
            .await
            .unwrap();
        held.begun().await;
        let mut reload = std::pin::pin!(counter.reload(Counter::new("new", &log)).into_future());
        assert!(futures::poll!(reload.as_mut()).is_pending());
        held.release();
        assert!(matches!(reload.await.unwrap_err(), ReloadError::Interrupted { failure: Failure::Panic { .. }, .. }));
        assert_eq!(counter.get().await.unwrap().0, "built");
        assert_eq!(counter.incarnation(), 2);
        counter.reload(Counter::new("new", &log)).await.unwrap();
        assert_eq!((counter.get().await.unwrap().0, counter.incarnation()), ("new", 3));
        // A restart builds it as it was registered.
        counter.boom().await.unwrap_err();
        assert_eq!((counter.get().await.unwrap().0, counter.incarnation()), ("built", 4));
        system.shutdown().await;
    });
}

#[test]
fn a_module_that_is_not_restarted_fails_after_a_reload_as_before() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let counter = system.register_module(Counter::new("old", &log)).await.unwrap();
        counter.reload(Counter::new("new", &log)).await.unwrap();
        assert!(matches!(counter.boom().await.unwrap_err(), AskError::Panicked { .. }));
        let report = counter.stopped().await;
        assert_eq!(report.state, ModuleState::Failed);
        assert!(matches!(report.failure, Some(Failure::Panic { .. })));
        assert_eq!(log.all().last().unwrap(), "drop new");
        system.shutdown().await;
    });
}

#[test]
fn reloads_are_no_restarts_that_count() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let factory = log.clone();
        let twice = Restart::on_failure()
            .max_restarts(2, Duration::from_hours(1))
            .backoff(Backoff::new(Duration::ZERO, Duration::ZERO));
        let counter = system.register_with(move |_| Counter::new("built", &factory)).restart(twice).await.unwrap();
        for _ in 0..5 {
            counter.reload(Counter::new("new", &log)).await.unwrap();
        }
        counter.boom().await.unwrap_err();
        assert_eq!(counter.get().await.unwrap().0, "built");
        counter.reload(Counter::new("new", &log)).await.unwrap();
        counter.boom().await.unwrap_err();
        assert_eq!((counter.get().await.unwrap().0, counter.incarnation()), ("built", 9));
        counter.boom().await.unwrap_err();
        assert_eq!(counter.stopped().await.state, ModuleState::Failed, "the third failure, and reloads in between");
        system.shutdown().await;
    });
}

#[test]
fn what_fails_of_the_old_one_is_not_the_new_ones_failure() {
    on_paused(|| async {
        for flaw in [Flaw::StopFails, Flaw::StopHangs, Flaw::DropPanics] {
            let (system, log) = (System::new(), Log::new());
            let counter = system.register_module(Counter::new("old", &log).with(flaw)).await.unwrap();
            let mut watch = counter.watch();
            counter.reload(Counter::new("new", &log)).await.unwrap();
            let down = watch.next().await.unwrap();
            assert_eq!((down.incarnation, down.restarts_in), (1, Some(Duration::ZERO)));
            let reason = down.reason.unwrap().to_string();
            let expected = match flaw {
                Flaw::StopFails => "`stop` failed: no stop",
                Flaw::StopHangs => "`stop` failed: it did not return within 30s",
                _ => "panicked in `drop`",
            };
            assert!(reason.starts_with(expected), "{reason}");
            assert_eq!(counter.get().await.unwrap().0, "new");
            let report = counter.stop().await.unwrap();
            assert_eq!((report.state, report.failure), (ModuleState::Stopped, None));
            system.shutdown().await;
        }
    });
}

#[test]
fn only_what_says_so_can_be_reloaded() {
    #[module]
    struct Fixed;
    #[module]
    impl Fixed {}

    on_every_runtime(|| async {
        let system = System::new();
        let fixed = system.register_module(Fixed).await.unwrap();
        let error = fixed.reload(Fixed).await.unwrap_err();
        assert_eq!(error, ReloadError::NotReloadable { module: fixed.name() });
        assert!(error.to_string().ends_with("write `flags(HOT_RELOADABLE)` in the `#[module]` of its struct"));
        assert!(fixed.reloads().is_empty() && system.reload_history().is_empty());
        system.shutdown().await;
    });
}

#[test]
fn each_reload_is_told_once_and_written_down() {
    #[module]
    struct Listener(Log<String>);

    #[module]
    impl Listener {
        #[event]
        fn on_reloaded(&mut self, event: &Reloaded) {
            self.0.push(format!("reloaded {} {}", event.module, event.incarnation));
        }

        #[event]
        fn on_down(&mut self, event: &Down) {
            self.0.push(format!("down {} {}", event.module, event.incarnation));
        }
    }

    on_every_runtime(|| async {
        let (system, log, heard) = (System::new(), Log::new(), Log::new());
        let listener = system.register_module(Listener(heard.clone())).await.unwrap();
        let counter = system.register_module(Counter::new("old", &log)).await.unwrap();
        let mut watch = counter.watch();
        counter.reload(Counter::new("new", &log)).await.unwrap();
        counter.reload(Counter::new("third", &log).with(Flaw::InitFails)).await.unwrap_err();
        counter.reload(Counter::new("fourth", &log)).await.unwrap();
        eventually("all is heard", || heard.len() == 4).await;
        settle().await;
        assert_eq!(heard.all(), ["down counter 1", "reloaded counter 2", "down counter 2", "reloaded counter 3"]);
        for incarnation in 1..=2 {
            assert_eq!(watch.next().await.unwrap().incarnation, incarnation);
        }
        let outcomes: Vec<_> = system.reload_history().into_iter().map(|entry| entry.outcome).collect();
        assert!(matches!(
            &outcomes[..],
            [ReloadOutcome::Reloaded, ReloadOutcome::Failed(ReloadError::Hook { .. }), ReloadOutcome::Reloaded]
        ));
        drop(listener);
        system.shutdown().await;
    });
}

#[test]
fn ticks_go_on_over_a_reload() {
    #[module(flags(HOT_RELOADABLE))]
    struct Clock(Log<(u32, Duration)>, u32, Instant);

    #[module]
    impl Clock {
        #[tick(every = "1s")]
        fn tick(&mut self) {
            self.0.push((self.1, self.2.elapsed()));
        }
    }

    on_paused(|| async {
        let (system, log, now) = (System::new(), Log::new(), Instant::now());
        let clock = system.register_module(Clock(log.clone(), 1, now)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        clock.reload(Clock(log.clone(), 2, now)).await.unwrap();
        tokio::time::sleep(2 * SECOND).await;
        let of = |label, seconds| (label, Duration::from_secs(seconds));
        assert_eq!(log.all(), [of(1, 1), of(1, 2), of(2, 3), of(2, 4)]);
        system.shutdown().await;
    });
}

#[test]
fn a_module_with_a_loop_of_its_own_runs_it_anew() {
    #[module(flags(HOT_RELOADABLE))]
    struct Looper(u32, Log<u32>);

    #[module]
    impl Looper {
        #[handler(Which)]
        fn which(&self) -> u32 {
            self.0
        }

        #[init]
        fn init(&self) -> Result<(), ModuleError> {
            if self.0 == 3 { Err("no".into()) } else { Ok(()) }
        }

        #[run]
        async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
            self.1.push(self.0);
            while let Some(message) = inbox.recv().await {
                inbox.dispatch(message, self, ctx).await;
            }
        }
    }

    on_every_runtime(|| async {
        let (system, loops) = (System::new(), Log::new());
        let looper = system.register_module(Looper(1, loops.clone())).await.unwrap();
        assert_eq!(looper.which().await.unwrap(), 1);
        looper.reload(Looper(2, loops.clone())).await.unwrap();
        assert_eq!(looper.which().await.unwrap(), 2);
        looper.reload(Looper(3, loops.clone())).await.unwrap_err();
        assert_eq!(looper.which().await.unwrap(), 2);
        assert_eq!(loops.all(), [1, 2, 2]);
        system.shutdown().await;
    });
}

#[test]
fn a_reload_that_nobody_waits_for_goes_on() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let counter = system.register_module(Counter::new("old", &log)).await.unwrap();
        {
            let mut reload = std::pin::pin!(counter.reload(Counter::new("new", &log)).into_future());
            let _ = futures::poll!(reload.as_mut());
        }
        eventually("the new one is there", || counter.incarnation() == 2).await;
        assert_eq!(counter.get().await.unwrap().0, "new");
        system.shutdown().await;
    });
}

#[test]
fn the_new_one_knows_which_incarnation_it_is_before_it_has_the_place() {
    #[module(flags(HOT_RELOADABLE))]
    struct Numbered(Log<u32>);

    #[module]
    impl Numbered {
        #[init]
        fn init(&self, ctx: &mut Context<Self>) {
            self.0.push(ctx.incarnation());
        }
    }

    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let numbered = system.register_module(Numbered(log.clone())).await.unwrap();
        numbered.reload(Numbered(log.clone())).await.unwrap();
        numbered.reload(Numbered(log.clone())).await.unwrap();
        assert_eq!(log.all(), [1, 2, 3]);
        system.shutdown().await;
    });
}

#[test]
fn a_named_module_is_reloaded_through_its_system() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let counter = system.register_module(Counter::new("old", &log)).await.unwrap();
        let factory = log.clone();
        let report =
            system.reload::<Counter, Counter>("counter", move |_| Counter::new("new", &factory)).await.unwrap();
        assert_eq!(report.module, counter);
        assert_eq!(counter.get().await.unwrap().0, "new");
        let factory = log.clone();
        let error =
            system.reload::<Counter, Counter>("count", move |_| Counter::new("new", &factory)).await.unwrap_err();
        assert_eq!(error, ReloadError::NotFound { name: "count".to_owned(), names: vec!["counter".to_owned()] });
        system.shutdown().await;
    });
}

#[derive(Clone, Serialize, Deserialize)]
struct State {
    count: u64,
    next: HashMap<u32, u64>,
}

/// How the state of a tally travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Travels {
    Well,
    SnapshotFails,
    SnapshotPanics,
    RestoreFails,
    RestorePanics,
}

/// A module whose state a reload carries.
#[module(name = "tally", version = "1.0.0", flags(HOT_RELOADABLE))]
struct Tally {
    state: State,
    travels: Travels,
    label: &'static str,
    log: Log<String>,
}

impl Tally {
    fn new(label: &'static str, log: &Log<String>, travels: Travels) -> Self {
        Self { state: State { count: 0, next: HashMap::new() }, travels, label, log: log.clone() }
    }
}

#[module]
impl Tally {
    #[handler(Count)]
    fn count(&mut self, who: u32, number: u64) {
        let next = self.state.next.entry(who).or_default();
        assert_eq!(*next, number, "of sender {who}");
        *next += 1;
        self.state.count += 1;
    }

    #[handler(Total)]
    fn total(&self) -> (&'static str, u64) {
        (self.label, self.state.count)
    }

    #[snapshot]
    fn snapshot(&self) -> Result<&State, ModuleError> {
        match self.travels {
            Travels::SnapshotFails => Err("no state".into()),
            Travels::SnapshotPanics => panic!("snapshot panics"),
            _ => Ok(&self.state),
        }
    }

    #[restore]
    fn restore(&mut self, state: State, from: Version) -> Result<(), ModuleError> {
        assert_eq!(from.to_string(), "1.0.0");
        match self.travels {
            Travels::RestoreFails => return Err("not so".into()),
            Travels::RestorePanics => panic!("restore panics"),
            _ => self.state = state,
        }
        Ok(())
    }

    #[stop]
    fn stop(&self) {
        self.log.push(format!("stop {}", self.label));
    }
}

/// A tally that has counted to 41.
async fn tally(system: &SystemRef, log: &Log<String>, travels: Travels) -> ModuleRef<Tally> {
    let tally = system.register_module(Tally::new("old", log, travels)).await.unwrap();
    for number in 0..41 {
        tally.count(0, number).await.unwrap();
    }
    tally
}

#[test]
fn a_counter_at_41_has_1041_after_a_thousand_messages_of_four_senders_during_a_reload() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let tally = tally(&system, &log, Travels::Well).await;
        let senders: Vec<_> = (1..=4)
            .map(|who| {
                let tally = tally.clone();
                tokio::spawn(async move {
                    for number in 0..250 {
                        tally.send(Count { who, number }).await.unwrap();
                        if number % 16 == 0 {
                            tokio::task::yield_now().await;
                        }
                    }
                })
            })
            .collect();
        let report = tally.reload(Tally::new("new", &log, Travels::Well)).await.unwrap();
        assert!(report.migrated);
        for sender in senders {
            sender.await.unwrap();
        }
        assert_eq!(tally.total().await.unwrap(), ("new", 1_041));
        assert!(tally.reloads()[0].migrated);
        assert_eq!(system.shutdown().await.failure, None);
    });
}

#[test]
fn a_state_that_does_not_travel_leaves_the_old_one_where_it_is() {
    on_every_runtime(|| async {
        let module = || "tally".to_owned();
        for travels in [Travels::SnapshotFails, Travels::SnapshotPanics, Travels::RestoreFails, Travels::RestorePanics]
        {
            let (system, log) = (System::new(), Log::new());
            let tally = tally(&system, &log, travels).await;
            let error = tally.reload(Tally::new("new", &log, travels)).await.unwrap_err();
            let expected = match travels {
                Travels::SnapshotPanics => {
                    ReloadError::Panicked { module: module(), place: "snapshot", text: "snapshot panics".to_owned() }
                }
                Travels::RestoreFails => {
                    ReloadError::Hook { module: module(), hook: "restore", text: "not so".to_owned() }
                }
                Travels::RestorePanics => {
                    ReloadError::Panicked { module: module(), place: "restore", text: "restore panics".to_owned() }
                }
                _ => {
                    let source = SnapshotError::Refused { module: module(), text: "no state".to_owned() };
                    ReloadError::Snapshot { module: module(), source }
                }
            };
            assert_eq!(error, expected);
            assert_eq!(tally.total().await.unwrap(), ("old", 41));
            assert!(log.is_empty(), "no `stop` ran");
            system.shutdown().await;
        }
    });
}

#[test]
fn a_state_for_what_cannot_be_restored_is_refused_before_anything_of_it_runs() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let counter = system.register_module(Counter::new("old", &log)).await.unwrap();
        drop(log.take());
        let version = Version { major: 1, minor: 0, patch: 0 };
        let snapshot = Snapshot::new("counter", "Counter", version, &41_u64).unwrap();
        let error = counter.reload(Counter::new("new", &log)).from_snapshot(snapshot).await.unwrap_err();
        assert!(matches!(&error, ReloadError::NoRestore { type_name: "Counter", .. }), "{error:?}");
        assert_eq!((counter.incarnation(), log.all()), (1, vec!["drop new".to_owned()]));
        system.shutdown().await;
    });
}

#[test]
fn a_reload_may_bring_a_state_of_its_own() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let tally = tally(&system, &log, Travels::Well).await;
        let snapshot = tally.snapshot().await.unwrap();
        tally.count(0, 41).await.unwrap();
        // One bit of it is wrong.
        let mut bytes = snapshot.to_bytes();
        *bytes.last_mut().unwrap() ^= 1;
        Snapshot::from_bytes(&bytes).unwrap_err();
        let report = tally.reload(Tally::new("new", &log, Travels::Well)).from_snapshot(snapshot).await.unwrap();
        assert!(report.migrated);
        assert_eq!(tally.total().await.unwrap(), ("new", 41));
        // It is whole, and not what a tally has.
        let stranger = Snapshot::new("stranger", "Stranger", report.new, &"no state").unwrap();
        let reload = tally.reload(Tally::new("third", &log, Travels::Well)).from_snapshot(stranger);
        let error = reload.await.unwrap_err();
        assert!(matches!(&error, ReloadError::Hook { hook: "restore", .. }), "{error}");
        assert_eq!(tally.total().await.unwrap(), ("new", 41));
        assert_eq!(log.all(), ["stop old"]);
        system.shutdown().await;
    });
}

mod meter {
    use dms::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Default, Serialize, Deserialize)]
    pub(super) struct State {
        pub(super) total: u64,
        pub(super) ticks: u32,
        pub(super) pings: u32,
    }

    pub(super) struct Add(pub(super) u64);
    pub(super) struct Ping;

    /// Measures.
    #[module(name = "meter", version = "1.0.0", flags(HOT_RELOADABLE))]
    #[derive(Default)]
    pub(super) struct Meter(pub(super) State);

    #[module]
    impl Meter {
        #[handler]
        fn add(&mut self, Add(number): Add) -> u64 {
            self.0.total += number;
            self.0.total
        }

        #[handler(Scale, boxed)]
        fn scale(&mut self, by: u64, offset: u64) -> u64 {
            self.0.total = self.0.total * by + offset;
            self.0.total
        }

        #[handler(Read)]
        async fn read(&self) -> (&'static str, State) {
            ("first", self.0.clone())
        }

        #[handler(Later)]
        fn later(&mut self, reply: ReplyTo<u64>) {
            reply.send(self.0.total);
        }

        #[handler(Fail)]
        fn fail(&self) {
            panic!("fail");
        }

        #[tick(every = "1s")]
        fn tick(&mut self) {
            self.0.ticks += 1;
        }

        #[event]
        fn on_ping(&mut self, _: &Ping) {
            self.0.pings += 1;
        }

        #[snapshot]
        fn snapshot(&self) -> &State {
            &self.0
        }
    }
}

use meter::{Add as AddTo, Fail, Later, Meter, MeterRef as _, Ping, Read, Scale};

/// Measures better.
#[module(version = "2.0.0")]
#[derive(Default)]
struct MeterV2 {
    state: meter::State,
    flaw: Flaw,
}

#[module(replaces = meter::Meter)]
impl MeterV2 {
    #[init]
    fn init(&self) -> Result<(), ModuleError> {
        if self.flaw == Flaw::InitFails { Err("no init".into()) } else { Ok(()) }
    }

    #[restore]
    fn restore(&mut self, state: meter::State, from: Version) {
        assert_eq!(from.major, 1);
        self.state = state;
    }

    #[handler]
    async fn add(&mut self, AddTo(number): AddTo) -> u64 {
        self.state.total += 2 * number;
        self.state.total
    }

    #[handler(Scale)]
    fn scale(&mut self, by: u64, offset: u64) -> u64 {
        self.state.total = self.state.total * by + offset;
        self.state.total
    }

    #[handler(Read)]
    fn read(&self) -> (&'static str, meter::State) {
        ("second", self.state.clone())
    }

    #[handler(Later)]
    fn later(&mut self, reply: ReplyTo<u64>) {
        reply.send(self.state.total + 1_000);
    }

    #[handler(Fail)]
    fn fail(&self) {
        panic!("fail");
    }

    #[tick(every = "1s")]
    fn tick(&mut self) {
        self.state.ticks += 100;
    }

    #[event]
    fn on_ping(&mut self, _: &Ping) {
        self.state.pings += 100;
    }

    #[snapshot]
    fn snapshot(&self) -> &meter::State {
        &self.state
    }
}

#[test]
fn another_type_with_the_same_messages_takes_the_place_and_old_references_reach_it() {
    on_paused(|| async {
        let system = System::new();
        let old = system.register_module(Meter::default()).await.unwrap();
        assert_eq!(old.add(AddTo(10)).await.unwrap(), 10);
        tokio::time::sleep(SECOND + SECOND / 2).await;
        system.publish(Ping).await;
        let recipient: Recipient<AddTo> = old.recipient();
        let report = system.reload::<Meter, MeterV2>("meter", |_| MeterV2::default()).await.unwrap();
        assert!(report.migrated);
        assert_eq!((report.old.to_string(), report.new.to_string()), ("1.0.0".to_owned(), "2.0.0".to_owned()));
        let new = report.module;
        // The old references, and the new one.
        assert_eq!(old.add(AddTo(1)).await.unwrap(), 12);
        recipient.send(AddTo(1)).await.unwrap();
        assert_eq!(new.ask(Scale { by: 2, offset: 1 }).await.unwrap(), 29);
        assert_eq!(old.scale(1, 1).await.unwrap(), 30);
        assert_eq!((old.later().await.unwrap(), new.later().await.unwrap()), (1_030, 1_030));
        // Its tick and its subscription go on.
        tokio::time::sleep(SECOND).await;
        system.publish(Ping).await;
        let (who, state) = old.read().await.unwrap();
        assert_eq!((who, state.total, state.ticks, state.pings), ("second", 30, 101, 101));
        // It is found as either, and says what it is.
        assert_eq!(system.get::<Meter>("meter").unwrap(), old);
        assert_eq!(system.get::<MeterV2>("meter").unwrap(), new);
        assert_eq!((old.id(), old.name()), (new.id(), "meter".to_owned()));
        assert_eq!((old.info().type_name, old.info().version.major), ("MeterV2", 2));
        assert_eq!(system.modules()[0].info.description, "Measures better.");
        assert_eq!(system.shutdown().await.undelivered, 0);
    });
}

#[test]
fn what_is_started_again_after_a_reload_is_built_by_the_factory_of_the_reload() {
    on_every_runtime(|| async {
        let system = System::new();
        let meter = system.register_with(|_| Meter::default()).restart(AT_ONCE).await.unwrap();
        meter.add(AddTo(10)).await.unwrap();
        let error = meter.reload_with(|_| MeterV2 { flaw: Flaw::InitFails, ..MeterV2::default() }).await.unwrap_err();
        assert!(matches!(error, ReloadError::Hook { hook: "init", .. }), "{error}");
        assert_eq!(meter.read().await.unwrap().0, "first");
        let second = meter.reload_with(|_| MeterV2::default()).await.unwrap().module;
        assert_eq!(meter.later().await.unwrap(), 1_010);
        meter.fail().await.unwrap_err();
        assert_eq!(meter.read().await.unwrap().0, "second");
        assert_eq!((meter.later().await.unwrap(), second.incarnation()), (1_000, 3));
        // A value says nothing of how the first type is built again, for it is not in the place any more.
        let error = meter.reload(Meter::default()).await.unwrap_err();
        assert_eq!(error, ReloadError::CannotRestart { module: "meter".to_owned() });
        meter.reload_with(|_| Meter::default()).await.unwrap();
        assert_eq!(meter.read().await.unwrap().0, "first");
        meter.fail().await.unwrap_err();
        assert_eq!((meter.read().await.unwrap().0, meter.incarnation()), ("first", 5));
        system.shutdown().await;
    });
}

#[test]
fn a_type_that_replaces_another_one_is_a_module_of_its_own_as_well() {
    on_paused(|| async {
        let system = System::new();
        let meter = system.register_module(MeterV2::default()).name("second").await.unwrap();
        assert_eq!(meter.add(AddTo(2)).await.unwrap(), 4);
        tokio::time::sleep(SECOND + SECOND / 2).await;
        system.publish(Ping).await;
        let (who, state) = meter.read().await.unwrap();
        assert_eq!((who, state.ticks, state.pings), ("second", 100, 100));
        system.shutdown().await;
    });
}
