//! Background tasks: who hears of a failure, and what is left of the others.

use std::error::Error;
use std::future::pending;
use std::time::Duration;

use dms::prelude::*;
use dms::recovery::{Backoff, Restart};
use dms::session::{BackgroundError, BackgroundMonitor, BackgroundSpawner, event};
use dms_tests::{Drops, Flavor, Log, events_of, eventually, on_every_runtime, settle};

fn alive() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Tokio's own counter may lag behind on several threads.
async fn none_is_alive(what: &str) {
    if tokio::runtime::Handle::current().runtime_flavor() == tokio::runtime::RuntimeFlavor::CurrentThread {
        assert_eq!(alive(), 0, "{what}");
    } else {
        eventually(what, || alive() == 0).await;
    }
}

/// Nine that never end by themselves, each with something that is dropped with it.
fn nine_siblings(spawner: &BackgroundSpawner, drops: &Drops) {
    for number in 0..9 {
        let token = drops.token();
        spawner.spawn(format!("sibling-{number}"), async move {
            let _token = token;
            pending::<()>().await;
        });
    }
}

#[test]
fn an_error_reaches_wait_after_the_drop_guards_of_nine_siblings_have_run() {
    on_every_runtime(|| async {
        let (mut monitor, drops) = (BackgroundMonitor::new(), Drops::new());
        nine_siblings(&monitor.spawner(), &drops);
        monitor.spawner().spawn("doomed", async {
            settle().await;
            std::fs::read("/no/such/file").map(drop)
        });
        let error = monitor.wait().await.unwrap_err();
        assert_eq!(drops.count(), 9, "siblings are left");
        assert_eq!(error.task(), "doomed");
        assert!(error.to_string().starts_with("background task `doomed` failed: No such file"), "{error}");
        none_is_alive("after wait").await;
        // It says so again, and runs nothing any more.
        assert_eq!(monitor.wait().await.unwrap_err().to_string(), error.to_string());
        let spawner = monitor.spawner();
        assert!(spawner.is_closed());
        let token = drops.token();
        spawner.spawn("late", async move { drop(token) });
        assert_eq!(drops.count(), 10);
        none_is_alive("after a late spawn").await;
    });
}

#[test]
fn a_panic_reaches_wait_with_its_text_after_the_drop_guards_of_nine_siblings_have_run() {
    on_every_runtime(|| async {
        let (mut monitor, drops) = (BackgroundMonitor::new(), Drops::new());
        nine_siblings(&monitor.spawner(), &drops);
        monitor.spawner().spawn("doomed", async {
            settle().await;
            panic!("there is {}", "one");
        });
        let error = monitor.wait().await.unwrap_err();
        assert_eq!(drops.count(), 9, "siblings are left");
        assert!(
            matches!(&error, BackgroundError::Panicked { task, text } if task == "doomed" && text == "there is one")
        );
        assert_eq!(error.to_string(), "background task `doomed` panicked: there is one");
        none_is_alive("after wait").await;
    });
}

#[test]
fn siblings_are_cancelled_before_anybody_waits() {
    on_every_runtime(|| async {
        let (mut monitor, drops) = (BackgroundMonitor::new(), Drops::new());
        nine_siblings(&monitor.spawner(), &drops);
        monitor.spawner().spawn("doomed", async { Err::<(), _>("lost") });
        eventually("all dropped", || drops.count() == 9).await;
        assert_eq!(monitor.wait().await.unwrap_err().to_string(), "background task `doomed` failed: lost");
    });
}

#[test]
fn the_first_failure_is_the_one_that_is_told() {
    on_every_runtime(|| async {
        let mut monitor = BackgroundMonitor::new();
        let spawner = monitor.spawner();
        // It panics when it is cancelled.
        holds_a_grenade(&spawner);
        spawner.spawn("first", async {
            settle().await;
            Err::<(), _>("one")
        });
        assert_eq!(monitor.wait().await.unwrap_err().task(), "first");
        spawner.spawn("late", async { Err::<(), _>("two") });
        assert_eq!(monitor.wait().await.unwrap_err().task(), "first");
        assert_eq!(monitor.failed().await.task(), "first");
        none_is_alive("after the first failure").await;
    });
}

#[test]
fn causes_of_an_error_are_its_sources_and_are_not_told_twice() {
    #[derive(Debug, thiserror::Error)]
    #[error("the ledger is lost")]
    struct Lost(#[source] std::io::Error);

    on_every_runtime(|| async {
        let mut monitor = BackgroundMonitor::new();
        monitor.spawner().spawn("ledger", async { Err::<(), _>(Lost(std::io::Error::other("the disk is full"))) });
        let error = monitor.wait().await.unwrap_err();
        assert_eq!(error.to_string(), "background task `ledger` failed: the ledger is lost");
        assert_eq!(error.source().unwrap().to_string(), "the disk is full");
    });
}

#[test]
fn cancellation_is_no_error_and_is_waited_for() {
    on_every_runtime(|| async {
        let (mut monitor, drops) = (BackgroundMonitor::new(), Drops::new());
        nine_siblings(&monitor.spawner(), &drops);
        settle().await;
        monitor.cancel();
        assert!(monitor.wait().await.is_ok());
        assert_eq!(drops.count(), 9);
        none_is_alive("after a cancellation").await;
    });
}

#[test]
fn it_is_ok_when_all_have_finished_and_others_may_follow() {
    on_every_runtime(|| async {
        let mut monitor = BackgroundMonitor::new();
        assert!(monitor.wait().await.is_ok(), "none was begun");
        let log = Log::new();
        for round in 0..3 {
            for number in 0..10 {
                let log = log.clone();
                monitor.spawner().spawn("counted", async move {
                    settle().await;
                    log.push((round, number));
                });
            }
            assert!(monitor.wait().await.is_ok());
            assert_eq!(log.len(), (round + 1) * 10);
        }
    });
}

#[test]
fn a_task_that_a_task_begins_is_waited_for() {
    on_every_runtime(|| async {
        let (mut monitor, drops) = (BackgroundMonitor::new(), Drops::new());
        let (spawner, token) = (monitor.spawner(), drops.token());
        monitor.spawner().spawn("outer", async move {
            spawner.clone().spawn("inner", async move {
                settle().await;
                spawner.spawn("innermost", async move {
                    settle().await;
                    drop(token);
                });
            });
        });
        assert!(monitor.wait().await.is_ok());
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn ten_thousand_tasks_leave_none() {
    on_every_runtime(|| async {
        let mut monitor = BackgroundMonitor::new();
        let (spawner, drops) = (monitor.spawner(), Drops::new());
        for number in 0..10_000_u64 {
            let token = drops.token();
            spawner.spawn("one of many", async move {
                if number % 2 == 0 {
                    tokio::task::yield_now().await;
                }
                drop(token);
            });
        }
        assert!(monitor.wait().await.is_ok());
        assert_eq!(drops.count(), 10_000);
        none_is_alive("after ten thousand").await;
        // Nor do they where they are cancelled.
        for _ in 0..10_000 {
            let token = drops.token();
            spawner.spawn("one of many", async move {
                pending::<()>().await;
                drop(token);
            });
        }
        monitor.cancel();
        assert!(monitor.wait().await.is_ok());
        assert_eq!(drops.count(), 20_000);
        none_is_alive("after ten thousand were cancelled").await;
    });
}

#[test]
fn two_thousand_monitors_within_one_are_cancelled_with_it_and_waited_for() {
    on_every_runtime(|| async {
        let (mut monitor, drops) = (BackgroundMonitor::new(), Drops::new());
        let spawner = monitor.spawner();
        let within: Vec<_> = (0..2_000)
            .map(|_| {
                let within = spawner.monitor();
                let token = drops.token();
                within.spawner().spawn("one of many", async move {
                    pending::<()>().await;
                    drop(token);
                });
                within
            })
            .collect();
        settle().await;
        monitor.cancel();
        assert!(monitor.wait().await.is_ok());
        assert_eq!(drops.count(), 2_000);
        none_is_alive("after two thousand").await;
        drop(within);
    });
}

#[test]
fn a_monitor_within_a_task_ends_with_it_and_is_waited_for() {
    on_every_runtime(|| async {
        let (mut monitor, drops) = (BackgroundMonitor::new(), Drops::new());
        let inner_drops = drops.clone();
        let (sender, mut begun) = event();
        monitor.spawner().spawn("outer", async move {
            let mut inner = BackgroundMonitor::new();
            let innermost = inner.spawner().monitor();
            nine_siblings(&inner.spawner(), &inner_drops);
            nine_siblings(&innermost.spawner(), &inner_drops);
            sender.send(()).await.unwrap();
            inner.wait().await
        });
        begun.recv().await.unwrap();
        monitor.spawner().spawn("doomed", async { Err::<(), _>("lost") });
        assert_eq!(monitor.wait().await.unwrap_err().task(), "doomed");
        assert_eq!(drops.count(), 18, "grandchildren are left");
        none_is_alive("after the outer one").await;
    });
}

#[test]
fn whoever_waits_for_a_monitor_waits_for_the_tasks_of_those_within_it() {
    on_every_runtime(|| async {
        let mut monitor = BackgroundMonitor::new();
        let within = monitor.spawner().monitor();
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        within.spawner().spawn("inner", async move { drop(gone.await) });
        let waited = tokio::select! {
            biased;
            _ = monitor.wait() => false,
            () = settle() => true,
        };
        assert!(waited, "it is there still");
        go.send(()).unwrap();
        assert!(monitor.wait().await.is_ok());
    });
}

#[test]
fn a_failure_within_reaches_the_outermost_who_lets_it() {
    on_every_runtime(|| async {
        let mut monitor = BackgroundMonitor::new();
        monitor.spawner().spawn("outer", async {
            let mut inner = BackgroundMonitor::new();
            inner.spawner().spawn("inner", async { Err::<(), _>("lost") });
            inner.wait().await
        });
        monitor.spawner().spawn("other", pending::<()>());
        let error = monitor.wait().await.unwrap_err();
        assert_eq!(error.to_string(), "background task `outer` failed: background task `inner` failed: lost");
        // Who takes it is the last to hear of it.
        let mut monitor = BackgroundMonitor::new();
        monitor.spawner().spawn("outer", async {
            let mut inner = BackgroundMonitor::new();
            inner.spawner().spawn("inner", async { Err::<(), _>("lost") });
            assert!(inner.wait().await.is_err());
        });
        assert!(monitor.wait().await.is_ok());
    });
}

#[test]
fn waiting_can_be_given_up_and_taken_up_again() {
    on_every_runtime(|| async {
        let (mut monitor, drops) = (BackgroundMonitor::new(), Drops::new());
        nine_siblings(&monitor.spawner(), &drops);
        for _ in 0..3 {
            let gave_up = tokio::select! {
                biased;
                _ = monitor.wait() => false,
                () = settle() => true,
            };
            assert!(gave_up);
        }
        monitor.spawner().spawn("doomed", async { Err::<(), _>("lost") });
        assert!(monitor.wait().await.is_err());
        assert_eq!(drops.count(), 9);
        none_is_alive("after wait").await;
    });
}

#[test]
fn a_monitor_that_is_dropped_cancels_its_tasks() {
    on_every_runtime(|| async {
        let drops = Drops::new();
        let monitor = BackgroundMonitor::new();
        let spawner = monitor.spawner();
        nine_siblings(&spawner, &drops);
        drop(monitor);
        assert!(spawner.is_closed());
        eventually("all dropped", || drops.count() == 9).await;
        none_is_alive("after the monitor").await;
    });
}

#[derive(Debug, PartialEq)]
enum Event {
    Told(&'static str),
    Fetched(Result<u64, String>),
}

#[test]
fn the_end_of_a_task_is_an_event_of_the_session() {
    on_every_runtime(|| async {
        let mut monitor = BackgroundMonitor::new();
        let (sender, mut events) = event();
        let spawner = monitor.spawner();
        sender.send(Event::Told("before")).await.unwrap();
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let fetch = async move {
            gone.await.unwrap();
            // An error that is an event is no failure.
            Err("no route".to_owned())
        };
        spawner.spawn_then("fetch", fetch, &sender, Event::Fetched);
        assert_eq!(events.recv().await, Some(Event::Told("before")));
        assert_eq!(events.try_recv(), None);
        go.send(()).unwrap();
        assert_eq!(events.recv().await, Some(Event::Fetched(Err("no route".to_owned()))));
        assert!(monitor.wait().await.is_ok());
        // A panic is none.
        spawner.spawn_then("fetch", async { panic!("on purpose") }, &sender, Event::Fetched);
        assert_eq!(monitor.wait().await.unwrap_err().to_string(), "background task `fetch` panicked: on purpose");
        assert_eq!(events.try_recv(), None);
        // Nor is a cancellation, also of what could go on at once.
        let mut monitor = BackgroundMonitor::new();
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        monitor.spawner().spawn_then(
            "fetch",
            async { gone.await.map(|()| 7).map_err(|_| String::new()) },
            &sender,
            Event::Fetched,
        );
        settle().await;
        monitor.cancel();
        drop(go);
        monitor.wait().await.unwrap();
        assert_eq!(events.try_recv(), None);
    });
}

/// A module that gives what it runs a spawner.
#[module]
struct Parent {
    drops: Drops,
    nested: Option<BackgroundMonitor>,
}

#[module]
impl Parent {
    #[start]
    fn start(&mut self, ctx: &mut Context<Self>) {
        let spawner = ctx.background();
        nine_siblings(&spawner, &self.drops);
        let nested = spawner.monitor();
        nine_siblings(&nested.spawner(), &self.drops);
        self.nested = Some(nested);
    }

    #[handler(Fail)]
    fn fail(&mut self, ctx: &mut Context<Self>) {
        ctx.background().spawn("doomed", async { Err::<(), _>("lost") });
    }

    #[handler(Spawner)]
    fn spawner(&mut self, ctx: &mut Context<Self>) -> BackgroundSpawner {
        ctx.background()
    }
}

#[test]
fn background_tasks_of_a_module_are_joined_when_it_stops() {
    on_every_runtime(|| async {
        let (system, drops) = (System::new(), Drops::new());
        let parent = system.register_module(Parent { drops: drops.clone(), nested: None }).await.unwrap();
        let spawner = parent.spawner().await.unwrap();
        assert!(!spawner.is_closed());
        parent.stop().await.unwrap();
        parent.stopped().await;
        assert!(spawner.is_closed());
        assert_eq!(drops.count(), 18, "some are left");
        system.shutdown().await;
        none_is_alive("after a shutdown").await;
    });
}

#[test]
fn a_background_task_that_fails_fails_its_module() {
    on_every_runtime(|| async {
        let (system, drops) = (System::new(), Drops::new());
        let parent = system.register_module(Parent { drops: drops.clone(), nested: None }).await.unwrap();
        parent.fail().await.unwrap();
        let report = parent.stopped().await;
        assert_eq!(report.failure.unwrap().to_string(), "task `doomed` failed: lost");
        system.shutdown().await;
        none_is_alive("after a shutdown").await;
    });
}

#[test]
fn a_session_gets_a_spawner_and_knows_not_whose() {
    /// Sends a beat a second, wherever it runs.
    fn session(spawner: &BackgroundSpawner, beats: &Log<()>) {
        let beats = beats.clone();
        spawner.spawn("beat", async move {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                beats.push(());
            }
        });
    }

    #[module]
    struct Owner(Log<()>);
    #[module]
    impl Owner {
        #[start]
        fn start(&mut self, ctx: &mut Context<Self>) {
            session(&ctx.background(), &self.0);
        }
    }

    Flavor::Paused.run(|| async {
        let (in_a_module, alone) = (Log::new(), Log::new());
        let system = System::new();
        system.register_module(Owner(in_a_module.clone())).await.unwrap();
        let monitor = BackgroundMonitor::new();
        session(&monitor.spawner(), &alone);
        tokio::time::sleep(Duration::from_millis(5_500)).await;
        assert_eq!((in_a_module.len(), alone.len()), (5, 5));
        drop(monitor);
        system.shutdown().await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!((in_a_module.len(), alone.len()), (5, 5));
    });
}

#[test]
fn a_runtime_that_goes_down_takes_the_tasks_with_it() {
    let drops = Drops::new();
    let monitor = BackgroundMonitor::new();
    let runtime = Flavor::CurrentThread.runtime();
    runtime.block_on(async { nine_siblings(&monitor.spawner(), &drops) });
    drop(runtime);
    assert_eq!(drops.count(), 9);
    let mut monitor = monitor;
    Flavor::CurrentThread.run(|| async { monitor.wait().await }).unwrap();
}

#[test]
fn a_session_hears_of_the_failure_of_a_task_that_was_begun_when_none_ran() {
    on_every_runtime(|| async {
        let (monitor, drops) = (BackgroundMonitor::new(), Drops::new());
        let spawner = monitor.spawner();
        spawner.spawn("short", async {});
        let (_events, mut source) = event::<()>();
        let session = async {
            tokio::select! {
                error = monitor.failed() => error,
                _ = source.recv() => unreachable!("nobody sends"),
            }
        };
        let late = async {
            settle().await;
            nine_siblings(&spawner, &drops);
            spawner.spawn("late", async { Err::<(), _>("the disk is full") });
        };
        let (error, ()) = tokio::time::timeout(Duration::from_secs(10), async { tokio::join!(session, late) })
            .await
            .expect("the session is told");
        assert_eq!(error.to_string(), "background task `late` failed: the disk is full");
        assert_eq!(drops.count(), 9, "siblings are left");
        // It says so again.
        assert_eq!(monitor.failed().await.task(), "late");
    });
}

/// Panics when it is dropped.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("it went off");
    }
}

fn holds_a_grenade(spawner: &BackgroundSpawner) {
    let grenade = Grenade;
    spawner.spawn("armed", async move {
        let _grenade = grenade;
        pending::<()>().await;
    });
}

#[test]
fn a_panic_in_a_drop_guard_of_a_cancelled_task_is_reported() {
    on_every_runtime(|| async {
        let mut monitor = BackgroundMonitor::new();
        holds_a_grenade(&monitor.spawner());
        settle().await;
        monitor.cancel();
        let error = monitor.wait().await.unwrap_err();
        assert_eq!(error.to_string(), "background task `armed` panicked: it went off");
        none_is_alive("after wait").await;
        assert_eq!(monitor.failed().await.task(), "armed");
    });
}

#[module]
struct Armed;

#[module]
impl Armed {
    #[start]
    fn start(&mut self, ctx: &mut Context<Self>) {
        holds_a_grenade(&ctx.background());
    }
}

#[test]
fn a_panic_in_a_drop_guard_of_a_task_that_is_cancelled_with_its_module_is_a_failure_of_the_module() {
    on_every_runtime(|| async {
        let system = System::new();
        let armed = system.register_module(Armed).await.unwrap();
        settle().await;
        armed.stop().await.unwrap();
        let failure = armed.stopped().await.failure.expect("it is reported");
        assert_eq!(failure.to_string(), "task `armed` failed: panicked: it went off");
        system.shutdown().await;
    });
}

#[module]
struct Runs {
    drops: Drops,
}

#[module]
impl Runs {
    /// A session with tasks of its own.
    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
        let monitor = ctx.background().monitor();
        nine_siblings(&monitor.spawner(), &self.drops);
        while let Some(message) = inbox.recv().await {
            inbox.dispatch(message, self, ctx).await;
        }
    }

    #[handler(Poke)]
    fn poke(&mut self) {}
}

#[test]
fn a_module_has_stopped_when_the_drop_guards_of_a_monitor_nested_in_its_run_have_run() {
    on_every_runtime(|| async {
        for _ in 0..20 {
            let (system, drops) = (System::new(), Drops::new());
            let runs = system.register_module(Runs { drops: drops.clone() }).await.unwrap();
            runs.poke().await.unwrap();
            runs.stop().await.unwrap();
            runs.stopped().await;
            assert_eq!(drops.count(), 9, "tasks are left");
            system.shutdown().await;
        }
    });
}

/// A module that runs sessions which own tasks, by monitors that are nested in it.
#[module]
#[derive(Clone)]
struct Host {
    place: &'static str,
    drops: Drops,
    kept: Log<BackgroundMonitor>,
}

impl Host {
    fn new(place: &'static str, drops: &Drops) -> Self {
        Self { place, drops: drops.clone(), kept: Log::new() }
    }

    /// A session: it knows of no module.
    fn session(&self, place: &str, monitor: impl FnOnce() -> BackgroundMonitor) {
        if self.place == place {
            let monitor = monitor();
            nine_siblings(&monitor.spawner(), &self.drops);
            // Others may have it.
            self.kept.push(monitor);
        }
    }
}

#[module]
impl Host {
    #[start]
    fn start(&mut self, ctx: &mut Context<Self>) {
        self.session("start", || ctx.background().monitor());
    }

    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
        self.session("run", || ctx.background().monitor());
        while let Some(message) = inbox.recv().await {
            inbox.dispatch(message, self, ctx).await;
        }
    }

    #[handler(Begin)]
    async fn begin(&mut self, ctx: &mut Context<Self>) {
        self.session("handler", || ctx.background().monitor());
        let (host, spawner) = (self.clone(), ctx.background());
        drop(ctx.spawn("session", async move { host.session("task", || spawner.monitor()) }));
        let host = self.clone();
        // Among tasks of a spawner none needs to be told where to nest.
        ctx.background().spawn("session", async move {
            host.session("background task", BackgroundMonitor::new);
            if host.place == "task of a task" {
                let monitor = BackgroundMonitor::new();
                let inner = host.clone();
                monitor
                    .spawner()
                    .spawn("inner", async move { inner.session("task of a task", BackgroundMonitor::new) });
                host.kept.push(monitor);
            }
        });
        // The task has begun by then, and those that it has.
        settle().await;
    }

    #[handler(FailNow)]
    fn fail_now(&mut self) {
        panic!("on purpose");
    }

    #[stop]
    fn stop(&mut self, ctx: &mut Context<Self>) {
        let kept = self.kept.take();
        assert!(kept.iter().all(|monitor| monitor.spawner().is_closed()), "those of before have gone");
        for monitor in kept {
            self.kept.push(monitor);
        }
        self.session("stop", || ctx.background().monitor());
    }
}

const PLACES: [&str; 7] = ["start", "run", "handler", "task", "background task", "task of a task", "stop"];

/// Waits until the session there runs, if it does before the module is told to stop.
async fn runs(place: &str, kept: &Log<BackgroundMonitor>) {
    let monitors = match place {
        "stop" => 0,
        "task of a task" => 2,
        _ => 1,
    };
    eventually("the session runs", || kept.len() == monitors).await;
}

#[test]
fn a_module_has_stopped_when_the_drop_guards_of_the_monitors_within_it_have_run() {
    on_every_runtime(|| async {
        for place in PLACES {
            let (system, drops) = (System::new(), Drops::new());
            let host = Host::new(place, &drops);
            let kept = host.kept.clone();
            let host = system.register_module(host).await.unwrap();
            host.begin().await.unwrap();
            runs(place, &kept).await;
            assert_eq!(drops.count(), 0, "{place}");
            assert_eq!(host.stop().await.unwrap().failure, None, "{place}");
            // Also of those that were begun meanwhile.
            let before = drops.count();
            settle().await;
            assert_eq!((before, drops.count()), (9, 9), "{place}: tasks are left");
            let monitors = kept.take();
            assert!(monitors.iter().all(|monitor| monitor.spawner().is_closed()));
            system.shutdown().await;
            none_is_alive(place).await;
        }
    });
}

#[test]
fn a_shutdown_has_ended_when_the_drop_guards_of_the_monitors_within_modules_have_run() {
    on_every_runtime(|| async {
        let (system, drops) = (System::new(), Drops::new());
        // Whoever has the monitors keeps them.
        let all: Vec<_> = PLACES.map(|place| (place, Host::new(place, &drops))).into();
        for (place, host) in &all {
            let (host, kept) = (host.clone(), &host.kept);
            let host = system.register_module(host).await.unwrap();
            host.begin().await.unwrap();
            runs(place, kept).await;
        }
        system.shutdown().await;
        assert_eq!(drops.count(), 9 * PLACES.len());
    });
}

#[test]
fn a_module_begins_again_when_the_monitors_within_it_before_have_gone() {
    on_every_runtime(|| async {
        let (system, drops) = (System::new(), Drops::new());
        let (host, kept) = (Host::new("run", &drops), Log::new());
        let (seen, keep, count) = (Log::new(), kept.clone(), drops.clone());
        let noted = seen.clone();
        let at_once = Restart::on_failure().backoff(Backoff::new(Duration::ZERO, Duration::ZERO));
        let host = system
            .register_with(move |_| {
                noted.push(count.count());
                Host { kept: keep.clone(), ..host.clone() }
            })
            .restart(at_once)
            .await
            .unwrap();
        host.begin().await.unwrap();
        host.send(FailNow).await.unwrap();
        eventually("it runs again", || kept.len() == 2).await;
        assert_eq!(seen.all(), [0, 9], "what builds it again finds none of before");
        let monitors = kept.take();
        let closed: Vec<_> = monitors.iter().map(|monitor| monitor.spawner().is_closed()).collect();
        assert_eq!(closed, [true, false], "those of the next incarnation go on");
        host.stop().await.unwrap();
        assert_eq!(drops.count(), 18);
        system.shutdown().await;
    });
}

#[module(name = "newer", flags(HOT_RELOADABLE))]
struct Newer {
    host: Host,
    fails: bool,
}

#[module]
impl Newer {
    #[start]
    fn start(&mut self, ctx: &mut Context<Self>) -> Result<(), &'static str> {
        self.host.session("start", || ctx.background().monitor());
        if self.fails { Err("it does not come up") } else { Ok(()) }
    }
}

#[test]
fn a_reload_ends_the_monitors_within_the_one_that_goes_and_no_other() {
    on_every_runtime(|| async {
        let (system, drops) = (System::new(), Drops::new());
        let host = || Host::new("start", &drops);
        let (first, second, third) = (host(), host(), host());
        let kept = [&first, &second, &third].map(|host| host.kept.clone());
        let module = system.register_module(Newer { host: first, fails: false }).await.unwrap();
        module.reload(Newer { host: second, fails: true }).await.unwrap_err();
        assert_eq!(drops.count(), 9, "those of the one that did not come up have gone");
        assert!(kept[1].take().pop().unwrap().spawner().is_closed());
        module.reload(Newer { host: third, fails: false }).await.unwrap();
        assert_eq!(drops.count(), 18, "those of the one before have gone");
        assert!(kept[0].take().pop().unwrap().spawner().is_closed());
        let last = kept[2].take().pop().unwrap();
        assert!(!last.spawner().is_closed());
        module.stop().await.unwrap();
        assert_eq!(drops.count(), 27);
        system.shutdown().await;
    });
}

#[module]
struct Answers {
    kept: Log<BackgroundMonitor>,
}

#[module]
impl Answers {
    #[handler(Answer, inline)]
    fn answer(&mut self) {
        self.kept.push(BackgroundMonitor::new());
    }
}

#[test]
fn a_monitor_of_a_handler_that_its_asker_runs_is_none_of_the_askers() {
    on_every_runtime(|| async {
        let (system, kept) = (System::new(), Log::new());
        let module = system.register_module(Answers { kept: kept.clone() }).await.unwrap();
        let (mut monitor, asked) = (BackgroundMonitor::new(), module.clone());
        monitor.spawner().spawn("asker", async move { asked.answer().await });
        monitor.wait().await.unwrap();
        monitor.cancel();
        assert!(!kept.take().pop().unwrap().spawner().is_closed());
        system.shutdown().await;
    });
}

#[module]
struct Manager {
    drops: Drops,
}

#[module]
impl Manager {
    /// Builds a module that owes this one nothing.
    #[handler(Build)]
    async fn build(&mut self, ctx: &mut Context<Self>) -> ModuleRef<Built> {
        let monitor = BackgroundMonitor::new();
        nine_siblings(&monitor.spawner(), &self.drops);
        ctx.system().register_module(Built { monitor }).await.unwrap()
    }
}

#[module]
struct Built {
    monitor: BackgroundMonitor,
}

#[module]
impl Built {
    #[handler(IsClosed)]
    fn is_closed(&self) -> bool {
        self.monitor.spawner().is_closed()
    }
}

#[test]
fn a_monitor_that_a_module_makes_with_new_is_of_whoever_has_it_and_ends_with_that() {
    on_every_runtime(|| async {
        let (system, drops) = (System::new(), Drops::new());
        let manager = system.register_module(Manager { drops: drops.clone() }).await.unwrap();
        let built = manager.build().await.unwrap();
        manager.stop().await.unwrap();
        settle().await;
        assert_eq!((drops.count(), built.is_closed().await.unwrap()), (0, false), "it goes on without its maker");
        built.stop().await.unwrap();
        eventually("its tasks are cancelled", || drops.count() == 9).await;
        system.shutdown().await;
    });
}

#[test]
fn a_module_that_is_cut_off_cancels_the_tasks_of_the_monitors_within_it() {
    #[module]
    struct Stuck(Host);
    #[module]
    impl Stuck {
        #[handler(Hang)]
        async fn hang(&mut self, ctx: &mut Context<Self>) {
            self.0.session("handler", || ctx.background().monitor());
            pending::<()>().await;
        }
    }

    on_every_runtime(|| async {
        let (system, drops) = (System::new(), Drops::new());
        let host = Host::new("handler", &drops);
        let kept = host.kept.clone();
        let module = system.register_module(Stuck(host)).await.unwrap();
        module.send(Hang).await.unwrap();
        runs("handler", &kept).await;
        let report = system.shutdown_within(Duration::from_millis(20)).await;
        assert_eq!(report.overran.len(), 1);
        eventually("all dropped", || drops.count() == 9).await;
    });
}

#[test]
fn a_failure_that_nobody_has_been_told_of_is_logged() {
    let errors = |body: fn(BackgroundMonitor) -> BackgroundMonitor| {
        let ((), events) = events_of(|| {
            Flavor::Paused.run(|| async {
                let monitor = body(BackgroundMonitor::new());
                settle().await;
                drop(monitor);
                settle().await;
            });
        });
        let errors = events.into_iter().filter(|event| event.level == tracing::Level::ERROR);
        errors.map(|event| event.text).collect::<Vec<_>>()
    };
    let text = "nobody waited for the monitor of a task that failed: background task `doomed` failed: lost";
    let failed = errors(|monitor| {
        monitor.spawner().spawn("doomed", async { Err::<(), _>("lost") });
        monitor
    });
    assert_eq!(failed, [text]);
    // What is dropped with the monitor, too.
    let text =
        "a background task panicked when its monitor had failed or gone already task=\"armed\" text=\"it went off\"";
    let armed = errors(|monitor| {
        holds_a_grenade(&monitor.spawner());
        monitor
    });
    assert_eq!(armed, [text]);
    // And what panics because another one has failed; that has been told, or not.
    let both = errors(|monitor| {
        holds_a_grenade(&monitor.spawner());
        monitor.spawner().spawn("doomed", async { Err::<(), _>("lost") });
        monitor
    });
    assert_eq!(both.len(), 2);
    assert_eq!(both[0], text);
}

#[test]
fn a_failure_that_somebody_has_been_told_of_is_not_logged() {
    let ((), events) = events_of(|| {
        Flavor::Paused.run(|| async {
            let mut monitor = BackgroundMonitor::new();
            monitor.spawner().spawn("doomed", async { Err::<(), _>("lost") });
            assert!(monitor.wait().await.is_err());
            let monitor = BackgroundMonitor::new();
            monitor.spawner().spawn("doomed", async { Err::<(), _>("lost") });
            assert_eq!(monitor.failed().await.task(), "doomed");
            // Nor is a cancellation.
            BackgroundMonitor::new().spawner().spawn("cancelled", pending::<()>());
            settle().await;
        });
    });
    assert_eq!(events, []);
}
