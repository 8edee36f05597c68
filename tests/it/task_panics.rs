//! No panic of a module's task is lost: not in its code, nor in what it holds when it is dropped, nor in what is made of its output.

use std::future::{Future, pending};
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use dms::prelude::*;
use dms::recovery::{Backoff, Restart};
use dms::session::BackgroundSpawner;
use dms::{Failure, ModuleState, TaskError};
use dms_tests::{
    Boom, Flavor, Log, Note, Puppet, act_in, events_of, eventually, hold, on_every_runtime, on_paused, settle,
};
use tracing::Level;

/// Panics when it is dropped.
struct Grenade(&'static str);

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

/// Holds a grenade until it is cancelled.
async fn armed(text: &'static str) {
    let _grenade = Grenade(text);
    pending::<()>().await;
}

fn went_off(task: &str) -> Failure {
    Failure::Task { task: task.to_owned(), text: "panicked: it went off".to_owned() }
}

/// What was logged of panics in tasks, at ERROR.
fn told(events: &[dms_tests::Event]) -> Vec<String> {
    let told = events.iter().filter(|event| event.level == Level::ERROR && event.text.contains("a task panicked"));
    told.map(|event| event.text[event.text.find("task=").unwrap()..].to_owned()).collect()
}

#[test]
fn a_panic_in_what_a_cancelled_task_holds_is_the_failure_of_its_module() {
    on_every_runtime(|| async {
        for taken in ["by nobody", "by a message", "by a handle"] {
            let system = System::new();
            let stops = Log::new();
            let log = stops.clone();
            let module = Puppet::default().on_stop(move |_| {
                Box::pin(async move {
                    log.push(());
                    Ok(())
                })
            });
            let module = system.register_module(module).await.unwrap();
            let (holding, mut begun) = hold();
            let (handles, handle) = (Log::new(), Log::new());
            let keep = handles.clone();
            module
                .ask(act_in(move |ctx| {
                    let task = ctx.spawn("armed", async {
                        let _grenade = Grenade("it went off");
                        holding.await;
                    });
                    match taken {
                        "by nobody" => drop(task),
                        "by a message" => task.then(|()| Note(1), ctx),
                        _ => keep.push(task),
                    }
                    Box::pin(async {})
                }))
                .await
                .unwrap();
            begun.begun().await;
            let report = module.stop().await.unwrap();
            assert_eq!(stops.len(), 1, "{taken}: the module itself is whole");
            for task in handles.take() {
                handle.push(task.await);
            }
            if taken == "by a handle" {
                let panicked = TaskError::Panicked { task: "armed".to_owned(), text: "it went off".to_owned() };
                assert_eq!((handle.take(), report.failure), (vec![Err(panicked)], None));
            } else {
                assert_eq!((report.state, report.failure), (ModuleState::Failed, Some(went_off("armed"))), "{taken}");
            }
            system.shutdown().await;
        }
    });
}

#[test]
fn a_task_that_is_cancelled_before_it_has_begun_drops_what_it_holds_like_any_other() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        module
            .send(act_in(|ctx| {
                let grenade = Grenade("it went off");
                drop(ctx.spawn("armed", async move {
                    let _grenade = grenade;
                    pending::<()>().await;
                }));
                ctx.stop().unwrap();
                Box::pin(async {})
            }))
            .await
            .unwrap();
        assert_eq!(module.stopped().await.failure, Some(went_off("armed")));
        system.shutdown().await;
    });
}

#[test]
fn a_panic_in_what_a_task_holds_is_logged_once_where_its_module_has_failed_before() {
    let (failure, events) = events_of(|| {
        Flavor::Paused.run(|| async {
            let system = System::new();
            let module = system.register_module(Puppet::default()).await.unwrap();
            module
                .ask(act_in(|ctx| {
                    drop(ctx.spawn("armed", armed("it went off")));
                    drop(ctx.spawn("armed, too", armed("so did this")));
                    Box::pin(settle())
                }))
                .await
                .unwrap();
            module.send(Boom("first")).await.unwrap();
            let failure = module.stopped().await.failure;
            system.shutdown().await;
            failure
        })
    });
    assert!(matches!(failure, Some(Failure::Panic { text, .. }) if text == "first"));
    let mut told = told(&events);
    told.sort();
    assert_eq!(told, ["task=\"armed\" text=\"it went off\"", "task=\"armed, too\" text=\"so did this\""]);
}

#[test]
fn a_panic_in_what_a_task_holds_is_logged_once_where_its_module_has_been_cut_off() {
    let ((), events) = events_of(|| {
        Flavor::Paused.run(|| async {
            let system = System::new();
            let module = system.register_module(Puppet::default()).await.unwrap();
            module
                .send(act_in(|ctx| {
                    drop(ctx.spawn("armed", armed("it went off")));
                    Box::pin(pending::<()>())
                }))
                .await
                .unwrap();
            settle().await;
            let report = system.shutdown_within(Duration::from_millis(20)).await;
            assert_eq!(report.overran.len(), 1);
            settle().await;
            assert_eq!(module.stopped().await.failure, Some(Failure::Aborted));
        });
    });
    assert_eq!(told(&events), ["task=\"armed\" text=\"it went off\""]);
}

#[test]
fn a_runtime_that_goes_down_survives_what_tasks_hold() {
    let ((), events) = events_of(|| {
        let runtime = Flavor::CurrentThread.runtime();
        let system = System::new();
        runtime.block_on(async {
            let module = system.register_module(Puppet::default()).await.unwrap();
            let arm = act_in(|ctx| {
                drop(ctx.spawn("armed", armed("it went off")));
                Box::pin(settle())
            });
            module.ask(arm).await.unwrap();
        });
        drop(runtime);
    });
    let failed = events.iter().any(|event| event.level == Level::ERROR && event.text.contains("it went off"));
    assert!(failed, "{events:?}");
}

/// Panics when it is polled, and again when it is dropped.
struct Cursed;

impl Future for Cursed {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<()> {
        panic!("it went off")
    }
}

impl Drop for Cursed {
    fn drop(&mut self) {
        panic!("and again");
    }
}

/// Returns at once, and panics when it is dropped.
struct Short(u64);

impl Future for Short {
    type Output = u64;

    fn poll(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<u64> {
        Poll::Ready(self.0)
    }
}

impl Drop for Short {
    fn drop(&mut self) {
        panic!("it went off");
    }
}

/// An output that nobody takes alive.
struct Output;

impl Drop for Output {
    fn drop(&mut self) {
        panic!("it went off");
    }
}

#[test]
fn a_panic_when_a_task_that_has_returned_is_dropped_is_the_failure_of_its_module() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(dms_tests::puppet(&log)).await.unwrap();
        module
            .send(act_in(|ctx| {
                ctx.spawn("short", Short(7)).then(Note, ctx);
                Box::pin(async {})
            }))
            .await
            .unwrap();
        assert_eq!(module.stopped().await.failure, Some(went_off("short")));
        system.shutdown().await;
    });
}

#[test]
fn a_panic_in_what_is_made_of_the_output_of_a_task_is_the_failure_of_its_module() {
    on_every_runtime(|| async {
        for kind in ["the message", "the output", "what makes the message"] {
            let system = System::new();
            let module = system.register_module(Puppet::default()).await.unwrap();
            module
                .send(act_in(move |ctx| {
                    match kind {
                        "the message" => {
                            ctx.spawn("task", async {}).then(|()| -> Note { panic!("it went off") }, ctx);
                        }
                        "the output" => drop(ctx.spawn("task", async { Some(Output) })),
                        _ => {
                            let grenade = Grenade("it went off");
                            let message = move |()| {
                                let _grenade = &grenade;
                                Note(1)
                            };
                            ctx.spawn("task", async {}).then(message, ctx);
                        }
                    }
                    Box::pin(async {})
                }))
                .await
                .unwrap();
            assert_eq!(module.stopped().await.failure, Some(went_off("task")), "{kind}");
            system.shutdown().await;
        }
    });
}

#[test]
fn a_task_that_panics_twice_is_told_of_twice() {
    let (failure, events) = events_of(|| {
        Flavor::Paused.run(|| async {
            let system = System::new();
            let module = system.register_module(Puppet::default()).await.unwrap();
            let curse = act_in(|ctx| {
                drop(ctx.spawn("cursed", Cursed));
                Box::pin(async {})
            });
            module.send(curse).await.unwrap();
            let failure = module.stopped().await.failure;
            system.shutdown().await;
            failure
        })
    });
    assert_eq!(failure, Some(went_off("cursed")));
    assert_eq!(told(&events), ["task=\"cursed\" text=\"and again\""]);
}

#[module]
struct Renewed {
    arms: bool,
}

#[module]
impl Renewed {
    #[handler(Arm)]
    async fn arm(&mut self, ctx: &mut Context<Self>) {
        if self.arms {
            drop(ctx.spawn("armed", armed("it went off")));
        }
        // It holds the grenade by then.
        settle().await;
    }

    #[handler(Fail)]
    fn fail(&mut self) {
        panic!("first");
    }
}

#[test]
fn a_panic_in_what_a_task_of_an_incarnation_holds_that_has_failed_is_logged_and_fails_no_other_one() {
    let ((), events) = events_of(|| {
        Flavor::Paused.run(|| async {
            let system = System::new();
            let at_once = Restart::on_failure()
                .max_restarts(u32::MAX, Duration::from_millis(1))
                .backoff(Backoff::new(Duration::ZERO, Duration::ZERO));
            let arms = AtomicBool::new(true);
            let module = system
                .register_with(move |_| Renewed { arms: arms.swap(false, Ordering::SeqCst) })
                .restart(at_once)
                .await
                .unwrap();
            module.arm().await.unwrap();
            module.send(Fail).await.unwrap();
            eventually("it runs again", || module.incarnation() == 2 && module.state() == ModuleState::Running).await;
            module.arm().await.unwrap();
            assert_eq!(module.stop().await.unwrap().failure, None);
        });
    });
    assert_eq!(told(&events), ["task=\"armed\" text=\"it went off\""]);
}

/// What a panic carries: it looks at the tasks of the module when it is dropped, and panics then.
struct Looks(BackgroundSpawner);

impl Drop for Looks {
    fn drop(&mut self) {
        let _ = self.0.is_closed();
        panic_any(Looks(self.0.clone()));
    }
}

#[test]
fn what_a_panic_carries_is_dropped_where_it_may_look_at_the_tasks_of_the_module() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        module
            .send(act_in(|ctx| {
                let spawner = ctx.background();
                ctx.spawn("task", async {}).then(move |()| -> Note { panic_any(Looks(spawner)) }, ctx);
                Box::pin(async move {
                    settle().await;
                    // Whoever spawns clears away what has ended.
                    drop(ctx.spawn("next", async {}));
                })
            }))
            .await
            .unwrap();
        let text = "panicked: a panic without a text".to_owned();
        assert_eq!(module.stopped().await.failure, Some(Failure::Task { task: "task".to_owned(), text }));
        system.shutdown().await;
    });
}

/// What its `stop` hook leaves behind for the time when it has gone.
#[derive(Clone, Copy, PartialEq)]
enum Leaves {
    Nothing,
    /// A task that fails.
    Failing,
    /// A background task that fails.
    FailingBackground,
    /// A task that holds a grenade.
    Armed,
    /// A background task that does.
    ArmedBackground,
}

#[module(flags(HOT_RELOADABLE))]
struct Leaving {
    leaves: Leaves,
    numbers: Log<(&'static str, u32)>,
}

#[module]
impl Leaving {
    #[start]
    fn start(&mut self, ctx: &mut Context<Self>) {
        self.numbers.push(("start", ctx.incarnation()));
    }

    #[handler(Number)]
    fn number(&self, ctx: &mut Context<Self>) -> u32 {
        ctx.incarnation()
    }

    #[stop]
    async fn stop(&mut self, ctx: &mut Context<Self>) {
        self.numbers.push(("stop", ctx.incarnation()));
        match self.leaves {
            Leaves::Nothing => {}
            Leaves::Failing => drop(ctx.spawn("leaf", async { Err::<(), _>("it failed") })),
            Leaves::FailingBackground => ctx.background().spawn("leaf", async { Err::<(), _>("it failed") }),
            Leaves::Armed => drop(ctx.spawn("leaf", armed("it went off"))),
            Leaves::ArmedBackground => ctx.background().spawn("leaf", armed("it went off")),
        }
        // The task has begun by then, and ended if it does.
        settle().await;
    }
}

#[test]
fn what_the_stop_hook_of_a_module_that_was_reloaded_begins_fails_no_other_one_and_is_logged() {
    use Leaves::{Armed, ArmedBackground, Failing, FailingBackground, Nothing};
    for leaves in [Failing, FailingBackground, Armed, ArmedBackground] {
        let ((), events) = events_of(|| {
            Flavor::Paused.run(|| async {
                let (system, numbers) = (System::new(), Log::new());
                let leaving = |leaves| Leaving { leaves, numbers: numbers.clone() };
                let module = system.register_module(leaving(leaves)).await.unwrap();
                module.reload(leaving(Nothing)).await.unwrap();
                settle().await;
                assert_eq!(module.number().await.unwrap(), 2);
                assert_eq!(numbers.take(), [("start", 1), ("start", 2), ("stop", 1)]);
                assert_eq!(module.stop().await.unwrap().failure, None);
                assert_eq!(numbers.take(), [("stop", 2)]);
                system.shutdown().await;
            });
        });
        let told = events.iter().filter(|event| event.level <= Level::WARN).map(|event| event.text.as_str());
        let told: Vec<_> = told.map(|text| text.split_once(" module=").unwrap_or((text, "")).0).collect();
        let text = match leaves {
            Failing | FailingBackground => "a task failed when its module was not running any more",
            _ => "a task panicked when its module was not running any more",
        };
        assert_eq!(told, [text]);
    }
}
