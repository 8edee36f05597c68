//! What a handler can reach: itself, its tasks, its children, streams.

use std::time::Duration;

use dms::prelude::*;
use dms::{Failure, ModuleState, TaskError};
use dms_tests::{Drops, Log, Note, Puppet, act_in, eventually, hold, on_every_runtime, on_paused, puppet, settle};
use futures::stream;

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_handler_reaches_its_own_module_and_its_system() {
    on_every_runtime(|| async {
        let system = System::builder("shop").build();
        let module = system.register_module(Puppet::default()).name("me").await.unwrap();
        let (itself, id, name, system_name) = module
            .ask(act_in(|ctx| Box::pin(async move { (ctx.self_ref(), ctx.id(), ctx.name(), ctx.system().name()) })))
            .await
            .unwrap();
        assert_eq!((itself, id, &*name, &*system_name), (module.clone(), module.id(), "me", "shop"));
        let found = module
            .ask(act_in(|ctx| Box::pin(async move { ctx.system().get::<Puppet>("me").unwrap() == ctx.self_ref() })))
            .await;
        assert_eq!(found, Ok(true));
        system.shutdown().await;
    });
}

#[test]
fn a_tasks_result_may_be_awaited_in_the_handler() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let result = module
            .ask(act_in(|ctx| {
                let task = ctx.spawn("sum", async {
                    tokio::task::yield_now().await;
                    40 + 2
                });
                assert_eq!(task.name(), "sum");
                Box::pin(task)
            }))
            .await
            .unwrap();
        assert_eq!(result, Ok(42));
        let panicked = module
            .ask(act_in(|ctx| {
                let task = ctx.spawn("bad", async {
                    if true {
                        std::panic::resume_unwind(Box::new("in a task"))
                    }
                });
                Box::pin(task)
            }))
            .await
            .unwrap();
        assert_eq!(panicked, Err(TaskError::Panicked { task: "bad".to_owned(), text: "in a task".to_owned() }));
        assert_eq!(module.state(), ModuleState::Running, "whoever awaits a task takes its panic");
        system.shutdown().await;
    });
}

#[test]
fn a_tasks_result_may_come_back_as_a_message() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).mailbox(1).await.unwrap();
        module
            .ask(act_in(|ctx| {
                for number in 0..10 {
                    ctx.spawn("number", async move { number }).then(Note, ctx);
                }
                Box::pin(async {})
            }))
            .await
            .unwrap();
        eventually("all came back", || log.len() == 10).await;
        let mut all = log.take();
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
        system.shutdown().await;
    });
}

#[test]
fn the_result_of_a_task_that_has_ended_already_comes_back_too() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        module
            .ask(act_in(|ctx| {
                Box::pin(async move {
                    let task = ctx.spawn("quick", async { 5 });
                    settle().await;
                    task.then(Note, ctx);
                })
            }))
            .await
            .unwrap();
        module.ask(Note(6)).await.unwrap();
        assert_eq!(log.all(), [5, 6]);
        system.shutdown().await;
    });
}

#[test]
fn the_panic_or_error_of_a_task_that_nobody_awaits_is_its_modules_failure() {
    on_every_runtime(|| async {
        for kind in ["panic", "error", "panic of a then"] {
            let system = System::new();
            let stops = Log::new();
            let log = stops.clone();
            let module = Puppet::default().on_stop(move |_| {
                Box::pin(async move {
                    log.push(1);
                    Ok(())
                })
            });
            let module = system.register_module(module).await.unwrap();
            module
                .send(act_in(move |ctx| {
                    match kind {
                        "panic" => drop(ctx.spawn("task", async {
                            if true {
                                std::panic::resume_unwind(Box::new("lost"))
                            }
                        })),
                        "error" => drop(ctx.spawn("task", async { Err::<(), _>(ModuleError::from("lost")) })),
                        _ => ctx
                            .spawn("task", async {
                                if true {
                                    std::panic::resume_unwind(Box::new("lost"))
                                }
                            })
                            .then(|()| Note(1), ctx),
                    }
                    Box::pin(async {})
                }))
                .await
                .unwrap();
            let report = module.stopped().await;
            assert_eq!(report.state, ModuleState::Failed, "{kind}");
            let Some(Failure::Task { task, text }) = report.failure else { panic!("{:?}", report.failure) };
            assert!(task == "task" && text.contains("lost"), "{text}");
            assert_eq!(stops.len(), 1, "the module itself is whole");
            system.shutdown().await;
        }
    });
}

#[test]
fn a_modules_tasks_are_cancelled_and_joined_before_its_stop_hook() {
    on_every_runtime(|| async {
        let system = System::new();
        let dropped = Drops::new();
        let seen = Log::new();
        let (log, count) = (seen.clone(), dropped.clone());
        let module = Puppet::default().on_stop(move |_| {
            Box::pin(async move {
                log.push(count.count());
                Ok(())
            })
        });
        let module = system.register_module(module).await.unwrap();
        for _ in 0..5 {
            let token = dropped.token();
            let (holding, mut held) = hold();
            module
                .ask(act_in(move |ctx| {
                    drop(ctx.spawn("endless", async move {
                        holding.await;
                        drop(token);
                    }));
                    Box::pin(async {})
                }))
                .await
                .unwrap();
            held.begun().await;
            std::mem::forget(held);
        }
        assert_eq!(dropped.count(), 0);
        let report = module.stop().await.unwrap();
        assert_eq!((report.state, report.failure), (ModuleState::Stopped, None));
        assert_eq!(seen.all(), [5]);
    });
}

#[test]
fn the_tasks_of_a_module_that_panics_are_gone_when_it_has_ended() {
    on_every_runtime(|| async {
        let system = System::new();
        let dropped = Drops::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let token = dropped.token();
        module
            .send(act_in(move |ctx| {
                drop(ctx.spawn("endless", async move {
                    std::future::pending::<()>().await;
                    drop(token);
                }));
                Box::pin(async {
                    if true {
                        std::panic::resume_unwind(Box::new("with a task"))
                    }
                })
            }))
            .await
            .unwrap();
        assert_eq!(module.stopped().await.state, ModuleState::Failed);
        assert_eq!(dropped.count(), 1);
        system.shutdown().await;
    });
}

#[test]
fn a_task_that_ended_is_not_kept() {
    on_paused(|| async {
        let system = System::new();
        let dropped = Drops::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        for _ in 0..100 {
            let token = dropped.token();
            module
                .send(act_in(move |ctx| {
                    drop(ctx.spawn("short", async move { drop(token) }));
                    Box::pin(async {})
                }))
                .await
                .unwrap();
        }
        settle().await;
        eventually("all ended", || dropped.count() == 100).await;
        assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 1);
        system.shutdown().await;
    });
}

#[test]
fn a_streams_items_become_messages_in_order_and_its_end_one_too() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).mailbox(2).await.unwrap();
        module
            .ask(act_in(|ctx| {
                ctx.attach("numbers", stream::iter((0..100).map(Note))).then(|()| Note(1_000), ctx);
                Box::pin(async {})
            }))
            .await
            .unwrap();
        eventually("it has ended", || log.len() == 101).await;
        assert_eq!(log.all(), (0..100).chain([1_000]).collect::<Vec<_>>());
        system.shutdown().await;
    });
}

#[test]
fn a_stream_waits_for_room_and_ends_with_its_module() {
    on_paused(|| async {
        let system = System::new();
        let pulled = Log::new();
        let module = system.register_module(Puppet::default()).mailbox(3).await.unwrap();
        let (holding, mut held) = hold();
        let (log, dropped) = (pulled.clone(), Drops::new());
        let token = dropped.token();
        module
            .send(act_in(move |ctx| {
                let numbers = stream::iter(0..).map_with(token, log);
                drop(ctx.attach("numbers", numbers));
                Box::pin(holding)
            }))
            .await
            .unwrap();
        held.begun().await;
        settle().await;
        assert_eq!(module.depth(), 3);
        assert_eq!(pulled.len(), 4, "three wait in the mailbox, one for room");
        let stop = tokio::spawn({
            let module = module.clone();
            async move { module.stop().await.unwrap() }
        });
        settle().await;
        held.release();
        let report = stop.await.unwrap();
        assert_eq!((report.state, report.undelivered, report.failure), (ModuleState::Stopped, 3, None));
        assert_eq!(dropped.count(), 1);
    });
}

/// Numbers as messages, noted when they are taken; holds a token as long as it lives.
trait MapWith: Sized {
    fn map_with(self, token: dms_tests::Token, log: Log<u64>) -> impl futures::Stream<Item = Note> + Send + 'static;
}

impl<S: futures::Stream<Item = u64> + Send + 'static> MapWith for S {
    fn map_with(self, token: dms_tests::Token, log: Log<u64>) -> impl futures::Stream<Item = Note> + Send + 'static {
        futures::StreamExt::map(self, move |number| {
            let _ = &token;
            log.push(number);
            Note(number)
        })
    }
}

#[test]
fn a_recipient_sends_to_modules_of_any_type() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let bounded = system.register_module(puppet(&log)).mailbox(1).await.unwrap();
        let recipients: Vec<Recipient<Note>> = vec![bounded.recipient(), bounded.clone().into()];
        let held = dms_tests::held(&bounded).await;
        recipients[0].send(Note(1)).await.unwrap();
        assert!(matches!(recipients[1].try_send(Note(2)), Err(SendError::Full(Note(2), _))));
        let waiting = tokio::spawn({
            let recipient = recipients[1].clone();
            async move { recipient.send(Note(3)).await }
        });
        settle().await;
        assert!(!waiting.is_finished());
        held.release();
        waiting.await.unwrap().unwrap();
        tokio::time::sleep(MS).await;
        assert_eq!(log.all(), [1, 3]);
        system.shutdown().await;
    });
}
