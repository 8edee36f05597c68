//! Modules that are started again together.

use std::time::Duration;

use dms::prelude::*;
use dms::recovery::{Backoff, Jitter, Restart, Strategy};
use dms::{Failure, ModuleState, SystemRef};
use dms_tests::{Boom, Log, Note, Puppet, eventually, held, names_of, noted, on_every_runtime, on_paused, settle};

const AT_ONCE: Restart = Restart::on_failure()
    .max_restarts(1_000, Duration::from_secs(1))
    .backoff(Backoff::new(Duration::ZERO, Duration::ZERO));

/// A noted puppet that is built again.
fn phoenix(log: &Log<String>, name: &'static str) -> impl Fn(ModuleRef<Puppet>) -> Puppet + Send + use<> {
    let log = log.clone();
    move |_| noted(&log, name)
}

async fn three(system: &SystemRef, log: &Log<String>, restart: Restart) -> [ModuleRef<Puppet>; 3] {
    let mut modules = Vec::new();
    for name in ["a", "b", "c"] {
        modules.push(system.register_with(phoenix(log, name)).name(name).restart(restart).await.unwrap());
    }
    modules.try_into().unwrap()
}

fn starts(modules: &[ModuleRef<Puppet>]) -> Vec<u32> {
    modules.iter().map(ModuleRef::incarnation).collect()
}

#[test]
fn the_strategy_says_which_siblings_start_again_in_which_order() {
    let cases = [
        (Strategy::OneForOne, [1, 2, 1], "b", "b"),
        (Strategy::OneForAll, [2, 2, 2], "b c a", "a b c"),
        (Strategy::RestForOne, [1, 2, 2], "b c", "b c"),
    ];
    for (strategy, expected, dropped, started) in cases {
        on_every_runtime(|| async {
            let system = System::builder("test").strategy(strategy).build();
            let log = Log::new();
            let modules = three(&system, &log, AT_ONCE).await;
            drop(log.take());
            modules[1].send(Boom("boom")).await.unwrap();
            for module in &modules {
                module.send(Note(1)).await.unwrap();
            }
            eventually("all run again", || starts(&modules) == expected && names_of(&log, "start") == started).await;
            for module in &modules {
                module.ask(Note(2)).await.unwrap();
            }
            assert_eq!((names_of(&log, "drop"), names_of(&log, "init")), (dropped.to_owned(), started.to_owned()));
            assert_eq!(starts(&modules), expected);
            let report = system.shutdown().await;
            assert_eq!((report.undelivered, report.failure), (0, None));
        });
    }
}

/// Its children are of no use without each other.
#[module(strategy = one_for_all)]
struct Office {
    log: Log<String>,
}

#[module]
impl Office {
    #[start]
    async fn start(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        for name in ["a", "b", "c"] {
            ctx.register_with(phoenix(&self.log, name)).name(name).restart(AT_ONCE).await?;
        }
        ctx.register_module(noted(&self.log, "guest")).name("guest").await?;
        Ok(())
    }
}

#[test]
fn children_of_a_supervisor_start_again_together_and_what_is_not_built_again_stays_stopped() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let other = system.register_with(phoenix(&log, "other")).restart(AT_ONCE).await.unwrap();
        let office = system.register_module(Office { log: log.clone() }).await.unwrap();
        let children = ["a", "b", "c"].map(|name| system.get::<Puppet>(name).unwrap());
        let guest = system.get::<Puppet>("guest").unwrap();
        drop(log.take());
        children[1].send(Boom("boom")).await.unwrap();
        eventually("all run again", || names_of(&log, "start") == "a b c").await;
        assert_eq!(names_of(&log, "drop"), "b guest c a");
        assert_eq!((guest.state(), office.state()), (ModuleState::Stopped, ModuleState::Running));
        assert_eq!(other.incarnation(), 1);
        system.shutdown().await;
    });
}

#[test]
fn siblings_that_fail_at_once_all_run_again() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        on_every_runtime(|| async {
            let system = System::builder("test").strategy(strategy).build();
            let log = Log::new();
            let modules = three(&system, &log, AT_ONCE).await;
            for _ in 0..20 {
                for module in &modules {
                    module.send(Boom("boom")).await.unwrap();
                }
            }
            for module in &modules {
                assert_eq!(module.ask(Note(7)).no_timeout().await.unwrap(), 7);
            }
            assert_eq!(system.failure(), None);
            assert_eq!(system.shutdown().await.undelivered, 0);
        });
    }
}

#[test]
fn who_conducts_and_who_follows_is_stopped_at_once() {
    let hour = Duration::from_hours(1);
    let slow = AT_ONCE.backoff(Backoff::new(hour, hour).jitter(Jitter::None));
    for stopped in 0..3 {
        on_paused(|| async move {
            let system = System::builder("test").strategy(Strategy::OneForAll).build();
            let log = Log::new();
            let modules = three(&system, &log, slow).await;
            modules[1].send(Boom("boom")).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
            let begin = tokio::time::Instant::now();
            modules[stopped].stop().await.unwrap();
            assert!(begin.elapsed() < Duration::from_secs(1));
            // Without the one that conducts, the others go on; without another one, after the delay.
            for (number, module) in modules.iter().enumerate() {
                if number != stopped {
                    assert_eq!(module.ask(Note(1)).no_timeout().await.unwrap(), 1);
                    assert_eq!(module.incarnation(), 2);
                }
            }
            assert_eq!(begin.elapsed() > hour / 2, stopped != 1);
            system.shutdown().await;
        });
    }
}

#[test]
fn where_failures_escalate_that_of_a_child_is_its_supervisors() {
    #[module(strategy = escalate)]
    struct Strict;

    #[module]
    impl Strict {
        #[start]
        async fn start(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
            ctx.register_module(Puppet::default()).name("child").await?;
            Ok(())
        }
    }

    on_every_runtime(|| async {
        let system = System::new();
        let strict = system.register_with(|_| Strict).name("strict").restart(AT_ONCE).await.unwrap();
        let child = system.get::<Puppet>("child").unwrap();
        let mut watch = strict.watch();
        child.send(Boom("boom")).await.unwrap();
        let reason = watch.next().await.unwrap().reason;
        assert!(matches!(reason, Some(Failure::Child { .. })), "{reason:?}");
        eventually("a new child runs", || system.get::<Puppet>("child").is_ok_and(|new| new != child)).await;
        assert_eq!((strict.incarnation(), system.failure()), (2, None));
        system.shutdown().await;
    });
}

#[test]
fn a_kill_of_one_that_waits_to_begin_again_with_others_ends() {
    on_paused(|| async {
        let system = System::builder("test").strategy(Strategy::OneForAll).build();
        let log = Log::new();
        let [a, b, c] = three(&system, &log, AT_ONCE).await;
        // `b` conducts, and waits for `c`; `a` waits for its turn to conduct.
        let waits = held(&c).await;
        b.send(Boom("boom")).await.unwrap();
        eventually("it conducts", || b.state() == ModuleState::Created).await;
        a.send(Boom("boom")).await.unwrap();
        eventually("it waits", || a.state() == ModuleState::Created).await;
        settle().await;
        let killed = tokio::spawn({
            let a = a.clone();
            async move { a.kill().await }
        });
        settle().await;
        let mut watch = a.watch();
        waits.release();
        let killed = tokio::time::timeout(Duration::from_secs(10), killed).await;
        killed.expect("the kill ends").unwrap();
        assert_eq!(watch.next().await.unwrap().reason, Some(Failure::Killed));
        for module in [&a, &b, &c] {
            assert_eq!(module.ask(Note(7)).no_timeout().await.unwrap(), 7);
        }
        assert_eq!(system.shutdown().await.undelivered, 0);
    });
}
