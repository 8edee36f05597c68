//! Modules that are ended at once: the running handler is dropped where it is.

use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use dms::prelude::*;
use dms::recovery::{Backoff, Restart};
use dms::{AskError, Failure, ModuleState, RegisterError, Snapshot, Version};
use dms_tests::{
    Boom, Drops, Flavor, Log, Note, Puppet, act, act_in, events_of, eventually, held, noted, on_every_runtime,
    on_paused, puppet, settle,
};

const AT_ONCE: Restart = Restart::on_failure()
    .max_restarts(u32::MAX, Duration::from_millis(1))
    .backoff(Backoff::new(Duration::ZERO, Duration::ZERO));

/// The state and the failure of a module that was killed for good.
const KILLED: (ModuleState, Option<Failure>) = (ModuleState::Failed, Some(Failure::Killed));

/// A handler that never ends, and has begun once the token is there to be dropped.
async fn hangs(module: &ModuleRef<Puppet>, drops: &Drops) -> tokio::task::JoinHandle<Result<(), AskError>> {
    let (token, module) = (drops.token(), module.clone());
    let (say, begun) = tokio::sync::oneshot::channel();
    let ask = tokio::spawn(async move {
        let hanging = act(async move {
            let _token = token;
            let _ = say.send(());
            pending::<()>().await;
        });
        module.ask(hanging).no_timeout().await
    });
    begun.await.unwrap();
    ask
}

#[test]
fn a_killed_module_ends_at_once_without_its_stop_hook_and_the_asker_of_the_dropped_handler_is_told() {
    on_every_runtime(|| async {
        let (system, log, drops) = (System::new(), Log::new(), Drops::new());
        let module = system.register_module(noted(&log, "a")).name("a").await.unwrap();
        let asked = hangs(&module, &drops).await;
        module.send(Note(1)).await.unwrap();
        let report = module.kill().await;
        assert_eq!((report.state, report.failure), KILLED);
        assert_eq!((report.undelivered, drops.count()), (1, 1));
        let error = asked.await.unwrap().unwrap_err();
        assert!(matches!(error, AskError::CutOff { ref module, .. } if module == "a"), "{error}");
        assert_eq!(log.all(), ["init a", "start a", "drop a"]);
        let again = module.kill().await;
        assert_eq!((again.state, again.failure), KILLED);
        assert_eq!(system.shutdown().await.failure, None);
    });
}

#[test]
fn a_killed_module_that_is_started_again_goes_on_with_what_waits() {
    on_every_runtime(|| async {
        let (system, log, drops) = (System::new(), Log::new(), Drops::new());
        let numbers = log.clone();
        let module = system.register_with(move |_| puppet(&numbers)).restart(AT_ONCE).await.unwrap();
        for incarnation in 1..=20 {
            let mut watch = module.watch();
            let asked = hangs(&module, &drops).await;
            for number in 0..3 {
                module.send(Note(number)).await.unwrap();
            }
            module.kill().await;
            assert!(matches!(asked.await.unwrap(), Err(AskError::CutOff { .. })));
            module.ask(Note(3)).await.unwrap();
            assert_eq!(log.take(), [0, 1, 2, 3]);
            let down = watch.next().await.unwrap();
            assert_eq!((down.incarnation, down.reason), (incarnation, Some(Failure::Killed)));
            assert_eq!((module.incarnation(), drops.count()), (incarnation + 1, incarnation as usize));
        }
        assert_eq!(system.shutdown().await.undelivered, 0);
    });
}

#[test]
fn a_module_that_is_idle_or_never_waits_for_anything_is_killed_as_well() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let idle = system.register_module(noted(&log, "idle")).await.unwrap();
        settle().await;
        assert_eq!(idle.kill().await.failure, Some(Failure::Killed));
        let busy = system.register_module(noted(&log, "busy")).await.unwrap();
        for number in 0..1_000 {
            busy.send(Note(number)).await.unwrap();
        }
        assert_eq!(busy.kill().await.failure, Some(Failure::Killed));
        assert!(log.all().iter().all(|entry| !entry.starts_with("stop")), "{log:?}");
        system.shutdown().await;
    });
}

#[test]
fn a_handler_that_blocks_its_thread_ends_first_and_its_module_is_not_trusted_any_more() {
    Flavor::MultiThread.run(|| async {
        let (system, log) = (System::new(), Log::new());
        let module = system.register_module(noted(&log, "a")).await.unwrap();
        let (say, begun) = tokio::sync::oneshot::channel();
        let (release, released) = mpsc::channel::<()>();
        let asked = tokio::spawn({
            let module = module.clone();
            async move {
                let block = act(async move {
                    let _ = say.send(());
                    let _ = released.recv();
                });
                module.ask(block).await
            }
        });
        begun.await.unwrap();
        let killed = tokio::spawn({
            let module = module.clone();
            async move { module.kill().await }
        });
        eventually("it is told", || module.state() == ModuleState::Stopping).await;
        release.send(()).unwrap();
        let report = killed.await.unwrap();
        assert_eq!((report.state, report.failure), KILLED);
        assert_eq!(asked.await.unwrap(), Ok(()), "it had its answer");
        assert_eq!(log.all(), ["init a", "start a", "drop a"]);
        system.shutdown().await;
    });
}

/// A loop of its own that never looks at its inbox.
#[module(name = "deaf", restart = on_failure, max_restarts = 100, within = "1ms", backoff = "0s..0s")]
struct Deaf {
    starts: Arc<AtomicU32>,
    drops: Drops,
}

#[module]
impl Deaf {
    #[handler(Hello)]
    fn hello(&self) {}

    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
        let _token = self.drops.token();
        if self.starts.fetch_add(1, Ordering::SeqCst) < 2 {
            pending::<()>().await;
        }
        let _ = inbox.serve(self, ctx).await;
    }
}

#[test]
fn a_loop_of_its_own_is_dropped_where_it_is() {
    on_every_runtime(|| async {
        let (system, starts, drops) = (System::new(), Arc::new(AtomicU32::new(0)), Drops::new());
        let own = (Arc::clone(&starts), drops.clone());
        let module =
            system.register_with(move |_| Deaf { starts: Arc::clone(&own.0), drops: own.1.clone() }).await.unwrap();
        for times in 1..=2 {
            eventually("its loop runs", || starts.load(Ordering::SeqCst) == times).await;
            module.kill().await;
        }
        module.hello().await.unwrap();
        assert_eq!((module.incarnation(), drops.count()), (3, 2));
        system.shutdown().await;
    });
}

/// Comes up once; then `hook` hangs in the second incarnation.
async fn hangs_in(system: &System, hook: &'static str, drops: &Drops) -> ModuleRef<Puppet> {
    let (builds, drops) = (AtomicU32::new(0), drops.clone());
    let build = move |_| {
        let is_second = builds.fetch_add(1, Ordering::SeqCst) == 1;
        let token = drops.token();
        let hang = async move {
            let _token = token;
            if is_second {
                pending::<()>().await;
            }
            Ok(())
        };
        match hook {
            "init" => Puppet::default().on_init(|_| Box::pin(hang)),
            "start" => Puppet::default().on_start(|_| Box::pin(hang)),
            _ => Puppet::default().on_stop(|_| Box::pin(hang)),
        }
    };
    system.register_with(build).restart(AT_ONCE).await.unwrap()
}

#[test]
fn a_hook_that_hangs_as_the_module_begins_again_is_dropped() {
    on_every_runtime(|| async {
        for (hook, state) in [("init", ModuleState::Init), ("start", ModuleState::Start)] {
            let (system, drops) = (System::new(), Drops::new());
            let module = hangs_in(&system, hook, &drops).await;
            module.send(Boom("boom")).await.unwrap();
            module.send(Note(1)).await.unwrap();
            eventually("the hook hangs", || module.state() == state).await;
            module.kill().await;
            assert_eq!(module.ask(Note(2)).await, Ok(2));
            assert_eq!((module.incarnation(), drops.count()), (3, 3));
            assert_eq!(system.shutdown().await.undelivered, 0);
        }
    });
}

#[test]
fn a_stop_hook_that_hangs_is_dropped() {
    on_every_runtime(|| async {
        let (system, drops) = (System::new(), Drops::new());
        // As the module begins again: what ended its incarnation left it whole.
        let module = hangs_in(&system, "stop", &drops).await;
        let fail = || {
            act_in(|ctx| Box::pin(async { drop(ctx.spawn("line", async { Err::<(), _>(ModuleError::from("cut")) })) }))
        };
        module.ask(fail()).await.unwrap();
        eventually("it begins again", || module.incarnation() == 2 && module.state() == ModuleState::Running).await;
        module.ask(fail()).await.unwrap();
        eventually("the hook hangs", || module.state() == ModuleState::Stopping).await;
        module.kill().await;
        assert_eq!(module.ask(Note(2)).await, Ok(2));
        assert_eq!(module.incarnation(), 3);
        // As the module ends.
        let last = hangs_in(&system, "stop", &Drops::new()).await;
        last.send(Boom("boom")).await.unwrap();
        last.ask(Note(1)).await.unwrap();
        let stop = tokio::spawn({
            let last = last.clone();
            async move { last.stop().await }
        });
        eventually("it stops", || last.state() == ModuleState::Stopping).await;
        let report = last.kill().await;
        assert_eq!((report.state, report.failure), KILLED);
        assert_eq!(stop.await.unwrap().unwrap().failure, Some(Failure::Killed));
        system.shutdown().await;
    });
}

#[test]
fn a_module_that_is_killed_before_it_runs_is_not_registered() {
    on_every_runtime(|| async {
        let system = System::new();
        let (say, itself) = tokio::sync::oneshot::channel();
        let say = Mutex::new(Some(say));
        let register = tokio::spawn({
            let system = system.clone();
            async move {
                let build = move |module: ModuleRef<Puppet>| {
                    let _ = say.lock().unwrap().take().unwrap().send(module);
                    Puppet::default().on_init(|_| Box::pin(pending()))
                };
                system.register_with(build).name("a").await
            }
        });
        let module = itself.await.unwrap();
        eventually("the hook hangs", || module.state() == ModuleState::Init).await;
        assert_eq!(module.kill().await.state, ModuleState::Failed);
        assert!(matches!(register.await.unwrap(), Err(RegisterError::ShuttingDown { .. })));
        assert!(system.modules().is_empty());
        system.shutdown().await;
    });
}

/// What restores it never comes to an end.
#[module]
struct Frozen {
    restores: Arc<AtomicBool>,
    drops: Drops,
}

#[module]
impl Frozen {
    #[restore]
    async fn restore(&mut self, _state: u64, _from: Version) {
        let _token = self.drops.token();
        self.restores.store(true, Ordering::SeqCst);
        pending::<()>().await;
    }
}

#[test]
fn a_restore_that_hangs_is_dropped() {
    on_every_runtime(|| async {
        let (system, drops, restores) = (System::new(), Drops::new(), Arc::new(AtomicBool::new(false)));
        let version = Version { major: 1, minor: 0, patch: 0 };
        let snapshot = Snapshot::new("frozen", "Frozen", version, &7_u64).unwrap();
        let parts = Mutex::new(Some((drops.clone(), Arc::clone(&restores))));
        let (say, itself) = tokio::sync::oneshot::channel();
        let say = Mutex::new(Some(say));
        let register = tokio::spawn({
            let system = system.clone();
            async move {
                let build = move |module: ModuleRef<Frozen>| {
                    let _ = say.lock().unwrap().take().unwrap().send(module);
                    let (drops, restores) = parts.lock().unwrap().take().unwrap();
                    Frozen { restores, drops }
                };
                system.register_with(build).restored_from(snapshot).await
            }
        });
        let module = itself.await.unwrap();
        eventually("the hook hangs", || restores.load(Ordering::SeqCst)).await;
        assert_eq!(module.kill().await.state, ModuleState::Failed);
        assert!(matches!(register.await.unwrap(), Err(RegisterError::ShuttingDown { .. })));
        assert_eq!(drops.count(), 1);
        system.shutdown().await;
    });
}

#[test]
fn a_module_may_kill_itself_and_the_one_whose_child_it_is() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let itself = system.register_module(noted(&log, "a")).await.unwrap();
        let kill = act_in(|ctx| {
            Box::pin(async move {
                assert_eq!(ctx.self_ref().kill().await.state, ModuleState::Stopping);
                tokio::task::yield_now().await;
            })
        });
        assert!(matches!(itself.ask(kill).await, Err(AskError::CutOff { .. })));
        assert_eq!(itself.stopped().await.failure, Some(Failure::Killed));

        let parent = system.register_module(noted(&log, "parent")).await.unwrap();
        let child = log.clone();
        let register =
            act_in(move |ctx| Box::pin(async move { ctx.register_module(noted(&child, "child")).await.unwrap() }));
        let child = parent.ask(register).await.unwrap();
        let of_child = parent.clone();
        child.ask(act(async move { of_child.kill().await })).await.unwrap();
        assert_eq!(parent.stopped().await.failure, Some(Failure::Killed));
        let log = log.take();
        assert_eq!(&log[log.len() - 3..], ["stop child", "drop child", "drop parent"]);
        assert_eq!(child.stopped().await.failure, None);
        system.shutdown().await;
    });
}

#[test]
fn the_children_of_a_parent_that_fails_while_it_waits_for_them_end_all_the_same() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let parent = system.register_module(noted(&log, "parent")).await.unwrap();
        let children = (log.clone(), parent.clone());
        let register = act_in(move |ctx| {
            Box::pin(async move {
                let (log, parent) = children;
                let asks = async move {
                    assert!(parent.ask(Boom("boom")).await.is_err());
                    Ok(())
                };
                ctx.register_module(noted(&log, "older")).await.unwrap();
                ctx.register_module(Puppet::default().on_stop(|_| Box::pin(asks))).await.unwrap();
            })
        });
        parent.ask(register).await.unwrap();
        let report = parent.stop().await.unwrap();
        assert!(matches!(report.failure, Some(Failure::Panic { .. })), "{report:?}");
        let log = log.all();
        assert_eq!(&log[log.len() - 3..], ["stop older", "drop older", "drop parent"]);
        system.shutdown().await;
    });
}

/// An asker may run one of its handlers.
#[module]
struct Counter {
    token: Drops,
    waits: Arc<AtomicBool>,
}

#[module]
impl Counter {
    #[handler(Add, inline)]
    fn add(&mut self) {}

    #[handler(Wait)]
    async fn wait(&mut self) {
        let _token = self.token.token();
        self.waits.store(true, Ordering::SeqCst);
        pending::<()>().await;
    }
}

#[test]
fn a_module_whose_handlers_askers_may_run_is_killed_in_its_own_task_and_when_it_is_idle() {
    on_every_runtime(|| async {
        let (system, token, begun) = (System::new(), Drops::new(), Arc::new(AtomicBool::new(false)));
        let counter = || Counter { token: token.clone(), waits: Arc::clone(&begun) };
        let module = system.register_module(counter()).await.unwrap();
        let wait = tokio::spawn({
            let module = module.clone();
            async move { module.wait().await }
        });
        eventually("it waits", || begun.load(Ordering::SeqCst)).await;
        let report = module.kill().await;
        assert_eq!((report.state, report.failure, token.count()), (KILLED.0, KILLED.1, 1));
        assert!(matches!(wait.await.unwrap(), Err(AskError::CutOff { .. })));
        let idle = system.register_module(counter()).await.unwrap();
        idle.add().await.unwrap();
        settle().await;
        idle.add().await.unwrap();
        let report = idle.kill().await;
        assert_eq!((report.state, report.failure), KILLED);
        system.shutdown().await;
    });
}

#[module(flags(ESSENTIAL))]
struct Heart;

#[module]
impl Heart {}

#[test]
fn a_kill_is_a_failure_an_essential_modules_is_the_systems_and_it_is_logged_once() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let system = System::new();
            let heart = system.register_module(Heart).name("heart").await.unwrap();
            let report = heart.kill().await;
            assert_eq!((report.state, report.failure), KILLED);
            let failure = system.failed().await.unwrap();
            assert_eq!((failure.module.to_string(), failure.failure), ("heart".to_owned(), Failure::Killed));
            system.shutdown().await;
        });
    });
    let logged: Vec<_> = events.iter().filter(|event| event.text.starts_with("module failed")).collect();
    assert_eq!(logged.len(), 1, "{events:?}");
}

#[test]
fn what_has_stopped_stays_so_when_it_is_killed() {
    on_every_runtime(|| async {
        let system = System::new();
        for _ in 0..50 {
            let module = system.register_module(Puppet::default()).await.unwrap();
            let killer = tokio::spawn({
                let module = module.clone();
                async move { module.kill().await }
            });
            let stopped = module.stop().await.unwrap();
            killer.await.unwrap();
            let last = module.stopped().await;
            assert_eq!((stopped.state, &stopped.failure), (last.state, &last.failure));
            assert_eq!(last.failure.is_some(), last.state == ModuleState::Failed);
        }
        let module = system.register_module(Puppet::default()).await.unwrap();
        module.stop().await.unwrap();
        let report = module.kill().await;
        assert_eq!((report.state, report.failure), (ModuleState::Stopped, None));
        system.shutdown().await;
    });
}

#[test]
fn a_sender_that_waits_for_room_in_a_killed_module_gets_its_message_back() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).mailbox(1).await.unwrap();
        let _held = held(&module).await;
        module.send(Note(1)).await.unwrap();
        let waits = tokio::spawn({
            let module = module.clone();
            async move { module.send(Note(2)).await }
        });
        settle().await;
        module.kill().await;
        assert!(matches!(waits.await.unwrap(), Err(SendError::Stopped(Note(2), _))));
        system.shutdown().await;
    });
}
