//! Modules that are started again when they fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dms::prelude::*;
use dms::recovery::{Backoff, Jitter, Restart};
use dms::{AskError, Failure, ModuleState, RegisterError, SystemRef};
use dms_tests::{
    Boom, Drops, Flavor, Log, Note, Puppet, act_in, events_of, eventually, hold, names_of, noted, on_every_runtime,
    on_paused, puppet, settle,
};
use proptest::prelude::*;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// Without a wait, and as often as it takes.
const AT_ONCE: Restart = Restart::on_failure()
    .max_restarts(u32::MAX, Duration::from_millis(1))
    .backoff(Backoff::new(Duration::ZERO, Duration::ZERO));

/// The n-th restart waits for `2^n` times so long.
const fn after(first: Duration, cap: Duration) -> Backoff {
    Backoff::new(first, cap).jitter(Jitter::None)
}

/// A noted puppet that is built again.
async fn phoenix(system: &SystemRef, log: &Log<String>, restart: Restart) -> ModuleRef<Puppet> {
    let log = log.clone();
    system.register_with(move |_| noted(&log, "a")).name("a").restart(restart).await.unwrap()
}

/// A module that comes up once, and fails in `start` from then on.
fn frail(starts: &Arc<AtomicU32>) -> impl Fn(ModuleRef<Puppet>) -> Puppet + Send + use<> {
    let starts = Arc::clone(starts);
    move |_| {
        let number = starts.fetch_add(1, Ordering::SeqCst);
        let start: Result<(), ModuleError> = if number == 0 { Ok(()) } else { Err("no line".into()) };
        Puppet::default().on_start(|_| Box::pin(async { start }))
    }
}

#[test]
fn the_old_incarnation_is_dropped_before_the_next_one_is_initialised_in_the_same_slot() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let module = phoenix(&system, &log, AT_ONCE).await;
        let (id, name) = (module.id(), module.name());
        assert_eq!(module.incarnation(), 1);
        let error = module.ask(Boom("boom")).await.unwrap_err();
        assert!(matches!(error, AskError::Panicked { .. }), "{error}");
        assert_eq!(module.ask(Note(7)).await.unwrap(), 7);
        assert_eq!((module.id(), module.name(), module.incarnation()), (id, name, 2));
        assert_eq!(module.state(), ModuleState::Running);
        assert_eq!(system.get::<Puppet>("a").unwrap(), module);
        assert_eq!(system.modules()[0].incarnation, 2);
        // It panicked, so no hook runs on it.
        assert_eq!(log.all(), ["init a", "start a", "drop a", "init a", "start a"]);
        let report = system.shutdown().await;
        assert_eq!((report.undelivered, report.failure), (0, None));
        assert_eq!((report.modules.len(), report.modules[0].state), (1, ModuleState::Stopped));
    });
}

#[test]
fn the_message_that_failed_is_not_handled_again_and_those_behind_it_keep_their_order() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let numbers = log.clone();
        let module = system.register_with(move |_| puppet(&numbers)).restart(AT_ONCE).await.unwrap();
        for number in 0..10 {
            module.send(Note(number)).await.unwrap();
            module.send(Boom("boom")).await.unwrap();
        }
        module.ask(Note(10)).await.unwrap();
        assert_eq!(log.all(), (0..=10).collect::<Vec<_>>());
        assert_eq!(module.incarnation(), 11);
        assert_eq!(system.shutdown().await.undelivered, 0);
    });
}

/// Handles numbers, of which every tenth is too much for it.
#[module(restart = on_failure, max_restarts = 4294967295, within = "1ms", backoff = "0s..0s")]
struct Tenth {
    log: Log<u32>,
}

#[module]
impl Tenth {
    #[handler(Take)]
    fn take(&mut self, number: u32) {
        if number % 10 == 9 {
            std::panic::resume_unwind(Box::new("ninth"));
        }
        self.log.push(number);
    }

    #[handler(Flush)]
    fn flush(&self) {}
}

#[test]
fn of_many_messages_of_which_every_tenth_panics_the_others_are_handled_once_and_in_order() {
    let count = if dms_tests::is_long() { 1_000_000 } else { 100_000 };
    for flavor in [Flavor::CurrentThread, Flavor::MultiThread] {
        flavor.run(|| async move {
            let (system, log) = (System::new(), Log::new());
            let numbers = log.clone();
            let module = system.register_with(move |_| Tenth { log: numbers.clone() }).await.unwrap();
            for number in 0..count {
                module.send(Take { number }).await.unwrap();
            }
            module.ask(Flush).no_timeout().await.unwrap();
            assert_eq!(log.take(), (0..count).filter(|number| number % 10 != 9).collect::<Vec<_>>());
            assert_eq!(module.incarnation(), count / 10 + 1);
            assert_eq!(system.shutdown().await.undelivered, 0);
        });
    }
}

#[test]
fn five_restarts_within_the_window_happen_and_the_sixth_failure_is_one_for_good() {
    on_paused(|| async {
        let system = System::new();
        let starts = Arc::new(AtomicU32::new(0));
        let restart = Restart::on_failure().max_restarts(5, 10 * SECOND).backoff(after(SECOND / 10, SECOND));
        let module = system.register_with(frail(&starts)).name("line").restart(restart).await.unwrap();
        module.send(Boom("boom")).await.unwrap();
        let failure = system.failed().await.unwrap();
        assert_eq!((failure.module.to_string(), starts.load(Ordering::SeqCst)), ("line".to_owned(), 6));
        assert_eq!(failure.failure.to_string(), "`start` failed: no line");
        assert_eq!(failure.to_string(), "module `line` failed, and the system with it, which shuts down");
        let report = system.shutdown().await;
        assert_eq!(report.failure, Some(failure));
        assert_eq!((module.state(), module.incarnation()), (ModuleState::Failed, 6));
    });
}

#[test]
fn failures_that_are_far_apart_never_escalate() {
    on_paused(|| async {
        let (system, log) = (System::new(), Log::new());
        let module =
            phoenix(&system, &log, Restart::on_failure().max_restarts(1, SECOND).backoff(after(SECOND / 10, SECOND)))
                .await;
        for incarnation in 2..20 {
            tokio::time::sleep(2 * SECOND).await;
            module.send(Boom("boom")).await.unwrap();
            module.ask(Note(1)).await.unwrap();
            assert_eq!(module.incarnation(), incarnation);
        }
        assert_eq!(system.failure(), None);
        system.shutdown().await;
    });
}

#[test]
fn each_restart_waits_twice_as_long_up_to_the_cap_until_one_has_run_well() {
    on_paused(|| async {
        let (system, log) = (System::new(), Log::new());
        let restart = Restart::on_failure().max_restarts(100, 60 * SECOND).backoff(after(SECOND, 4 * SECOND));
        let module = phoenix(&system, &log, restart).await;
        let mut waits = Vec::new();
        for runs_for in [0, 0, 0, 0, 5, 0] {
            tokio::time::sleep(runs_for * SECOND).await;
            let failed = Instant::now();
            module.send(Boom("boom")).await.unwrap();
            module.ask(Note(1)).no_timeout().await.unwrap();
            waits.push(failed.elapsed().as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 4, 1, 2]);
        system.shutdown().await;
    });
}

#[test]
fn senders_and_askers_wait_for_the_next_incarnation_and_their_deadlines_go_on() {
    on_paused(|| async {
        let (system, log) = (System::new(), Log::new());
        let module = phoenix(&system, &log, Restart::on_failure().backoff(after(10 * SECOND, 10 * SECOND))).await;
        let begin = Instant::now();
        module.send(Boom("boom")).await.unwrap();
        settle().await;
        assert_eq!(module.state(), ModuleState::Created);
        module.send(Note(1)).await.unwrap();
        let error = module.ask(Note(2)).timeout(SECOND).await.unwrap_err();
        assert!(matches!(error, AskError::Timeout { .. }), "{error}");
        assert_eq!(begin.elapsed().as_secs(), 1);
        assert_eq!(module.ask(Note(3)).timeout(20 * SECOND).await.unwrap(), 3);
        assert_eq!(begin.elapsed().as_secs(), 10);
        system.shutdown().await;
    });
}

#[test]
fn whoever_waits_for_room_is_let_in_after_the_restart() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let numbers = log.clone();
        let module = system.register_with(move |_| puppet(&numbers)).mailbox(1).restart(AT_ONCE).await.unwrap();
        let sender = module.clone();
        let sending = tokio::spawn(async move {
            for number in 0..50 {
                sender.send(Boom("boom")).await.unwrap();
                sender.send(Note(number)).await.unwrap();
            }
        });
        sending.await.unwrap();
        module.ask(Note(50)).await.unwrap();
        assert_eq!(log.all(), (0..=50).collect::<Vec<_>>());
        system.shutdown().await;
    });
}

#[test]
fn a_stop_a_drain_and_a_shutdown_are_obeyed_at_once_while_a_module_waits_to_be_started_again() {
    for end in 0..3 {
        on_paused(|| async move {
            let (system, log) = (System::new(), Log::new());
            let module =
                phoenix(&system, &log, Restart::on_failure().backoff(after(3_600 * SECOND, 3_600 * SECOND))).await;
            module.send(Boom("boom")).await.unwrap();
            settle().await;
            module.send(Note(1)).await.unwrap();
            let begin = Instant::now();
            match end {
                0 => drop(module.stop().await.unwrap()),
                1 => drop(module.drain().await.unwrap()),
                _ => drop(system.shutdown().await),
            }
            assert!(begin.elapsed() < SECOND);
            let report = module.stopped().await;
            assert_eq!((report.state, report.undelivered, report.failure), (ModuleState::Stopped, 1, None));
            assert!(module.send(Note(2)).await.is_err());
            assert_eq!(names_of(&log, "init"), "a");
            system.shutdown().await;
        });
    }
}

#[test]
fn who_asked_for_the_end_gets_it_though_the_module_fails_on_the_way() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let module = phoenix(&system, &log, Restart::always().backoff(after(SECOND, SECOND))).await;
        let (holding, mut held) = hold();
        let fails = act_in(move |_| {
            Box::pin(async move {
                holding.await;
                std::panic::resume_unwind(Box::new("boom"))
            })
        });
        module.send::<dms_tests::Do<()>>(fails).await.unwrap();
        held.begun().await;
        let stop = tokio::spawn(module.stop());
        eventually("it stops", || module.state() == ModuleState::Stopping).await;
        held.release();
        assert_eq!(stop.await.unwrap().unwrap().state, ModuleState::Failed);
        assert_eq!(system.failure(), None);
        assert_eq!(names_of(&log, "init"), "a");
        system.shutdown().await;
    });
}

#[test]
fn the_tasks_of_the_old_incarnation_have_gone_before_the_next_one_is_initialised() {
    on_every_runtime(|| async {
        let (system, drops, log) = (System::new(), Drops::new(), Log::new());
        let (seen, counted) = (log.clone(), drops.clone());
        let build = move |_| {
            let (seen, counted) = (seen.clone(), counted.clone());
            Puppet::default().on_init(move |ctx: &mut Context<Puppet>| {
                Box::pin(async move {
                    seen.push(counted.count());
                    let token = counted.token();
                    drop(ctx.spawn("holds", async move {
                        let _token = token;
                        std::future::pending::<()>().await;
                    }));
                    Ok(())
                })
            })
        };
        let module = system.register_with(build).restart(AT_ONCE).await.unwrap();
        for _ in 0..5 {
            module.send(Boom("boom")).await.unwrap();
        }
        module.ask(Note(1)).await.unwrap();
        assert_eq!(log.all(), [0, 1, 2, 3, 4, 5]);
        system.shutdown().await;
    });
}

#[test]
fn a_task_that_fails_restarts_its_module_and_no_message_is_lost() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let notes = log.clone();
        let module = system.register_with(move |_| noted(&notes, "a")).restart(AT_ONCE).await.unwrap();
        let (holding, mut held) = hold();
        let spawns = act_in(|ctx| {
            Box::pin(async move {
                drop(ctx.spawn("sync", async { Err::<(), _>(ModuleError::from("lost")) }));
                holding.await;
            })
        });
        module.send(spawns).await.unwrap();
        held.begun().await;
        for number in 0..10 {
            module.send(Note(number)).await.unwrap();
        }
        held.release();
        eventually("it has begun again", || module.incarnation() == 2).await;
        assert_eq!(module.ask(Note(10)).await.unwrap(), 10);
        // The module itself is whole, so its `stop` runs.
        assert_eq!(log.all(), ["init a", "start a", "stop a", "drop a", "init a", "start a"]);
        assert_eq!(system.shutdown().await.undelivered, 0);
    });
}

#[test]
fn what_an_earlier_incarnation_left_behind_does_not_fail_a_later_one() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_with(|_| Puppet::default()).restart(AT_ONCE).await.unwrap();
        let task = module.ask(act_in(|ctx| {
            let task = ctx.spawn("sync", async { Err::<(), _>(ModuleError::from("lost")) });
            Box::pin(std::future::ready(task))
        }));
        let task = task.await.unwrap();
        module.send(Boom("boom")).await.unwrap();
        module.ask(Note(1)).await.unwrap();
        drop(task);
        module.ask(Note(2)).await.unwrap();
        assert_eq!(module.incarnation(), 2);
        system.shutdown().await;
    });
}

/// A parent that registers a child of a name that only one may have.
fn parent(log: &Log<String>, child: Restart) -> impl Fn(ModuleRef<Puppet>) -> Puppet + Send + use<> {
    let log = log.clone();
    move |_| {
        let log = log.clone();
        let name = log.clone();
        noted(&log, "parent").on_start(move |ctx| {
            Box::pin(async move {
                let build = move |_| noted(&name, "child");
                ctx.register_with(build).name("child").restart(child).await?;
                Ok(())
            })
        })
    }
}

#[test]
fn the_children_of_the_old_incarnation_end_before_it_and_before_the_next_one_is_initialised() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let module =
            system.register_with(parent(&log, Restart::never())).name("parent").restart(AT_ONCE).await.unwrap();
        module.send(Boom("boom")).await.unwrap();
        module.ask(Note(1)).await.unwrap();
        let once = ["init parent", "init child", "start child"];
        let between = ["stop child", "drop child", "drop parent"];
        assert_eq!(log.all(), [&once[..], &between, &once].concat());
        system.shutdown().await;
    });
}

#[test]
fn a_child_that_failed_for_good_fails_its_parent_which_is_started_again_with_new_children() {
    on_paused(|| async {
        let (system, log) = (System::new(), Log::new());
        let once = Restart::on_failure().max_restarts(1, 60 * SECOND).backoff(after(SECOND, SECOND));
        let module = system.register_with(parent(&log, once)).name("parent").restart(AT_ONCE).await.unwrap();
        for _ in 0..2 {
            system.get::<Puppet>("child").unwrap().send(Boom("boom")).await.unwrap();
        }
        tokio::time::sleep(10 * SECOND).await;
        assert_eq!((module.incarnation(), module.state()), (2, ModuleState::Running));
        assert_eq!(names_of(&log, "init"), "parent child child parent child");
        assert_eq!(names_of(&log, "drop"), "child child parent");
        assert_eq!(system.get::<Puppet>("child").unwrap().incarnation(), 1);
        assert_eq!(system.failure(), None);
        system.shutdown().await;
    });
}

#[test]
fn a_failure_for_good_goes_up_through_parents_that_are_not_started_again_until_the_system_fails() {
    on_paused(|| async {
        let (system, log) = (System::new(), Log::new());
        let none = Restart::on_failure().max_restarts(0, SECOND);
        let module = system.register_with(parent(&log, none)).name("parent").await.unwrap();
        let other = system.register_module(noted(&log, "other")).await.unwrap();
        system.get::<Puppet>("child").unwrap().send(Boom("boom")).await.unwrap();
        let failure = system.failed().await.unwrap();
        assert_eq!(failure.module, "parent");
        assert_eq!(failure.failure.to_string(), "child `child` failed for good: panicked in `Boom`: boom");
        assert!(matches!(&failure.failure, Failure::Child { child, .. } if child == "child"));
        let report = system.shutdown().await;
        assert_eq!(report.failure, Some(failure));
        assert_eq!((module.state(), other.state()), (ModuleState::Failed, ModuleState::Stopped));
        assert_eq!(names_of(&log, "drop"), "child parent other");
    });
}

#[test]
fn a_child_that_asks_its_parent_as_it_stops_for_a_restart_is_told_that_it_would_wait_for_ever() {
    on_paused(|| async {
        let (system, told) = (System::new(), Log::new());
        let log = told.clone();
        let build = move |parent: ModuleRef<Puppet>| {
            let log = log.clone();
            Puppet::default().on_init(move |ctx| {
                Box::pin(async move {
                    let child = Puppet::default().on_stop(move |_| {
                        Box::pin(async move {
                            log.push(parent.ask(Note(1)).await.unwrap_err());
                            Ok(())
                        })
                    });
                    ctx.register_module(child).await?;
                    Ok(())
                })
            })
        };
        let module = system.register_with(build).restart(AT_ONCE).await.unwrap();
        let begin = Instant::now();
        module.send(Boom("boom")).await.unwrap();
        module.ask(Note(1)).await.unwrap();
        assert!(matches!(told.take()[0], AskError::WouldDeadlock { .. }));
        assert!(begin.elapsed() < SECOND);
        system.shutdown().await;
    });
}

/// Ticks, and counts who hears of what.
#[module(restart = on_failure, backoff = "1s..1s")]
struct Clock {
    log: Log<&'static str>,
}

struct Bell;

#[derive(Clone)]
struct Requested;

#[module]
impl Clock {
    #[tick(every = "10s")]
    fn tick(&self) {
        self.log.push("tick");
    }

    #[handler]
    fn requested(&self, Requested: Requested) {
        self.log.push("requested");
    }

    #[event]
    fn bell(&self, _: &Bell) {
        self.log.push("bell");
    }

    #[handler(Break)]
    fn break_down(&self) {
        std::panic::resume_unwind(Box::new("broken"));
    }
}

#[test]
fn ticks_and_subscriptions_outlive_an_incarnation_and_are_not_doubled() {
    on_paused(|| async {
        let (system, log) = (System::new(), Log::new());
        let heard = log.clone();
        let clock = system.register_with(move |_| Clock { log: heard.clone() }).await.unwrap();
        let _ticks = clock.request_tick(Requested, 20 * SECOND);
        for _ in 0..3 {
            clock.send(Break).await.unwrap();
            tokio::time::sleep(2 * SECOND).await;
        }
        assert_eq!(clock.incarnation(), 4);
        assert_eq!(system.publish(Bell).await.handled, 1);
        tokio::time::sleep(55 * SECOND).await;
        let heard = log.all();
        let count = |what| heard.iter().filter(|entry| **entry == what).count();
        assert_eq!((count("tick"), count("requested"), count("bell")), (6, 3, 1));
        system.shutdown().await;
    });
}

/// Its loop ends, well or not, as it is told.
struct Loops {
    ends: Arc<AtomicU32>,
}

impl dms::Describe for Loops {
    const INFO: dms::ModuleInfo = dms::ModuleInfo::new("Loops");
}

impl Module for Loops {
    type Message = DynMessage<Self>;

    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        while let Some(message) = inbox.recv().await {
            inbox.dispatch(message, self, ctx).await;
            match self.ends.swap(0, Ordering::SeqCst) {
                1 => return Ok(()),
                2 => return Err("no more".into()),
                _ => {}
            }
        }
        Ok(())
    }
}

/// How the loop is to end after this message.
struct Next(u32);

impl Handler<Next> for Loops {
    type Reply = ();

    async fn handle(&mut self, Next(how): Next, _: &mut Context<Self>) {
        self.ends.store(how, Ordering::SeqCst);
    }
}

#[test]
fn a_loop_that_returns_is_begun_again_where_it_is_always_to_run_and_one_that_fails_also_where_failures_are_mended() {
    on_every_runtime(|| async {
        let system = System::new();
        let loops = |restart| system.register_with(|_| Loops { ends: Arc::default() }).restart(restart);
        let always = loops(Restart { policy: dms::recovery::RestartPolicy::Always, ..AT_ONCE }).await.unwrap();
        let on_failure = loops(AT_ONCE).await.unwrap();
        for (module, how) in [(&always, 1), (&always, 2), (&on_failure, 2)] {
            module.send(Next(how)).await.unwrap();
            module.ask(Next(0)).await.unwrap();
        }
        assert_eq!((always.incarnation(), on_failure.incarnation()), (3, 2));
        on_failure.send(Next(1)).await.unwrap();
        let report = on_failure.stopped().await;
        assert_eq!((report.state, report.failure), (ModuleState::Stopped, None));
        always.stop().await.unwrap();
        assert_eq!(always.state(), ModuleState::Stopped);
        system.shutdown().await;
    });
}

#[test]
fn a_loop_that_always_returns_fails_the_system_in_the_end() {
    on_paused(|| async {
        let system = System::new();
        let restart = Restart::always().max_restarts(0, SECOND);
        let module =
            system.register_with(|_| Loops { ends: Arc::default() }).restart(restart).name("loops").await.unwrap();
        module.send(Next(1)).await.unwrap();
        let failure = system.failed().await.unwrap();
        assert_eq!((failure.module.to_string(), failure.failure), ("loops".to_owned(), Failure::Ended));
        system.shutdown().await;
    });
}

/// Can be made again of what it was.
#[module(restart = on_failure, backoff = "0s..0s")]
#[derive(Clone, Default)]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Add, inline)]
    fn add(&mut self, number: u64) -> u64 {
        assert_ne!(number, 13, "unlucky");
        self.count += number;
        self.count
    }
}

#[test]
fn a_value_that_cannot_be_built_again_is_not_registered_where_it_is_to_be_started_again() {
    on_every_runtime(|| async {
        let system = System::new();
        let error = system.register_module(Counter::default()).await.unwrap_err();
        assert!(matches!(&error, RegisterError::CannotRestart { module } if module == "Counter"));
        assert_eq!(
            error.to_string(),
            "module `Counter` cannot be started again, as its `restart` says, since a value can be given away only once: register it with `register_with`, which builds it each time, or add `.restart_from_clone()`"
        );
        let error = system.register_module(Puppet::default()).restart(AT_ONCE).await.unwrap_err();
        assert!(matches!(error, RegisterError::CannotRestart { .. }));
        let error = system.register_all((Puppet::default(), Counter::default())).await.unwrap_err();
        assert!(matches!(error, RegisterError::CannotRestart { .. }));
        assert!(system.modules().is_empty());
        system.register_module(Counter::default()).restart(Restart::never()).await.unwrap();
        system.shutdown().await;
    });
}

#[test]
fn a_clone_of_the_registered_value_takes_its_place() {
    on_every_runtime(|| async {
        let system = System::new();
        let counter = system.register_module(Counter { count: 40 }).restart_from_clone().await.unwrap();
        assert_eq!(counter.add(5).await.unwrap(), 45);
        counter.add(13).await.unwrap_err();
        assert_eq!(counter.add(2).await.unwrap(), 42);
        let (other, _) = system
            .register_all((system.register_module(Counter { count: 1 }).restart_from_clone(), Puppet::default()))
            .await
            .unwrap();
        other.add(13).await.unwrap_err();
        assert_eq!((other.add(1).await.unwrap(), other.incarnation()), (2, 2));
        system.shutdown().await;
    });
}

#[test]
fn the_members_of_a_pool_are_built_again_with_their_numbers() {
    on_every_runtime(|| async {
        let system = System::new();
        let built = Log::new();
        let numbers = built.clone();
        let pool = system
            .register_pool(3, move |number| {
                numbers.push(number);
                Counter { count: number as u64 }
            })
            .await
            .unwrap();
        let member = &pool.members()[1];
        member.add(13).await.unwrap_err();
        assert_eq!(member.add(1).await.unwrap(), 2);
        assert_eq!(built.all(), [0, 1, 2, 1]);
        system.shutdown().await;
    });
}

#[test]
fn a_constructor_that_panics_when_it_builds_again_counts_as_a_failure() {
    on_paused(|| async {
        let (system, count) = (System::new(), AtomicU32::new(0));
        let build = move |_| {
            assert_ne!(count.fetch_add(1, Ordering::SeqCst), 1, "not twice");
            Puppet::default()
        };
        let module = system.register_with(build).restart(AT_ONCE).await.unwrap();
        module.send(Boom("boom")).await.unwrap();
        module.ask(Note(1)).await.unwrap();
        assert_eq!(module.incarnation(), 3);
        system.shutdown().await;
    });
}

#[test]
fn a_module_that_does_not_come_up_the_first_time_is_not_registered() {
    on_every_runtime(|| async {
        let system = System::new();
        let builds = Arc::new(AtomicU32::new(1));
        let error = system.register_with(frail(&builds)).restart(AT_ONCE).await.unwrap_err();
        assert!(matches!(error, RegisterError::Hook { hook: "start", .. }), "{error}");
        assert_eq!(builds.load(Ordering::SeqCst), 2);
        assert_eq!(system.failure(), None);
        assert!(system.modules().is_empty());
        system.shutdown().await;
    });
}

#[test]
fn each_event_of_a_life_is_logged_once() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let (system, log) = (System::new(), Log::new());
            let restart = Restart::on_failure().max_restarts(1, 60 * SECOND).backoff(after(SECOND, SECOND));
            let module = phoenix(&system, &log, restart).await;
            module.send(Boom("first")).await.unwrap();
            module.send(Boom("second")).await.unwrap();
            system.failed().await.unwrap();
            system.shutdown().await;
        });
    });
    let texts: Vec<_> = events.iter().map(|event| format!("{} {}", event.level, event.text)).collect();
    assert_eq!(
        texts,
        [
            "WARN module failed and is started again: panicked in `Boom`: first module=a id=1 incarnation=1 delay=1s",
            "INFO module runs again module=a id=1 incarnation=2",
            "ERROR module failed: panicked in `Boom`: second module=a id=1 incarnation=2 undelivered=0",
            "ERROR module `a` failed, and the system with it, which shuts down system=\"system\"",
        ]
    );
}

#[test]
fn a_module_that_waits_to_be_started_again_uses_no_turns() {
    on_paused(|| async {
        let system = System::new();
        let restart = Restart::on_failure().backoff(after(3_600 * SECOND, 3_600 * SECOND));
        let module = system.register_with(|_| Puppet::default()).restart(restart).await.unwrap();
        module.send(Boom("boom")).await.unwrap();
        settle().await;
        // The paused clock goes on only while nothing wants to run; and nothing wakes meanwhile.
        let parks = || tokio::runtime::Handle::current().metrics().worker_park_count(0);
        let before = parks();
        tokio::time::sleep(3_000 * SECOND).await;
        assert!(parks() - before <= 10, "{}", parks() - before);
        assert_eq!(module.state(), ModuleState::Created);
        system.shutdown().await;
    });
}

/// What somebody does to a module that is started again.
#[derive(Debug, Clone)]
enum Step {
    Note,
    Boom,
    Wait(u64),
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: dms_tests::cases(64, 2_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// The slot against a model: a list of what was sent, and a count of the failures.
    #[test]
    fn whatever_fails_and_when_the_slot_hands_each_message_to_one_incarnation_in_order(
        steps in proptest::collection::vec(
            prop_oneof![Just(Step::Note), Just(Step::Boom), (0..30u64).prop_map(Step::Wait)], 0..60,
        ),
        bound in proptest::option::of(1..4usize),
        backoff in 0..20u64,
    ) {
        Flavor::Paused.run(|| async {
            let (system, log) = (System::new(), Log::new());
            let delay = Duration::from_millis(backoff);
            let restart = Restart::on_failure().max_restarts(u32::MAX, SECOND).backoff(after(delay, delay));
            let numbers = log.clone();
            let register = system.register_with(move |_| puppet(&numbers)).restart(restart);
            let module = match bound {
                Some(bound) => register.mailbox(bound).await.unwrap(),
                None => register.await.unwrap(),
            };
            let (mut sent, mut failures) = (Vec::new(), 0);
            for (number, step) in (0..).zip(steps) {
                match step {
                    Step::Note => {
                        module.send(Note(number)).await.unwrap();
                        sent.push(number);
                    }
                    Step::Boom => {
                        module.send(Boom("boom")).await.unwrap();
                        failures += 1;
                    }
                    Step::Wait(time) => tokio::time::sleep(Duration::from_millis(time)).await,
                }
            }
            module.ask(Note(u64::MAX)).no_timeout().await.unwrap();
            sent.push(u64::MAX);
            assert_eq!(log.all(), sent);
            assert_eq!(module.incarnation(), failures + 1);
            assert_eq!(module.depth(), 0);
            assert_eq!(system.shutdown().await.undelivered, 0);
        });
    }
}
