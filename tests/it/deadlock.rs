//! M5: whoever would wait for ever is told so; nobody else is.

use std::sync::Arc;
use std::time::Duration;

use dms::{AskError, ModuleRef, SendError, System};
use dms_tests::{
    Flavor, Log, Note, Puppet, act, act_in, cases, eventually, held, hold, on_every_runtime, on_paused, puppet, settle,
};
use tokio::time::Instant;

type Answer = Result<u64, AskError>;

async fn puppets<const N: usize>(system: &System) -> [ModuleRef<Puppet>; N] {
    let mut puppets = Vec::new();
    for number in 0..N {
        puppets.push(system.register_module(Puppet::default()).name(format!("p{number}")).await.unwrap());
    }
    puppets.try_into().expect("as many as asked for")
}

/// The cycle in the error.
fn cycle_of<T: std::fmt::Debug>(answer: Result<T, AskError>) -> Vec<String> {
    match answer {
        Err(AskError::WouldDeadlock { cycle, .. }) => cycle.modules().to_vec(),
        other => panic!("no deadlock: {other:?}"),
    }
}

#[test]
fn m5_a_module_that_asks_itself_is_told_at_once() {
    on_every_runtime(|| async {
        let system = System::new();
        let [p0] = puppets(&system).await;
        let begun = Instant::now();
        let answer = p0.ask(act_in(|ctx| Box::pin(async move { ctx.self_ref().ask(Note(1)).no_timeout().await })));
        let answer = answer.no_timeout().await.unwrap();
        assert_eq!(answer.clone().unwrap_err().to_string().matches("p0 -> p0").count(), 1);
        assert_eq!(cycle_of(answer), ["p0"]);
        assert!(begun.elapsed() < Duration::from_secs(2));
        assert_eq!(p0.ask(Note(2)).await, Ok(2));
        system.shutdown().await;
    });
}

#[test]
fn m5_a_cycle_of_two_is_told_at_once_and_named() {
    on_every_runtime(|| async {
        let system = System::new();
        let [p0, p1] = puppets(&system).await;
        let back = p0.clone();
        let there = p1.clone();
        let answer: Result<Answer, AskError> = p0
            .ask(act(async move {
                let inner: Answer =
                    there.ask(act(async move { back.ask(Note(1)).no_timeout().await })).no_timeout().await?;
                inner
            }))
            .no_timeout()
            .await;
        assert_eq!(cycle_of(answer.unwrap()), ["p1", "p0"]);
        assert_eq!(p0.ask(Note(2)).await, Ok(2));
        assert_eq!(p1.ask(Note(3)).await, Ok(3));
        system.shutdown().await;
    });
}

#[test]
fn m5_a_cycle_of_three_is_told_at_once_and_named() {
    on_every_runtime(|| async {
        let system = System::new();
        let [p0, p1, p2] = puppets(&system).await;
        let back = p0.clone();
        let answer = p0
            .ask(act(async move {
                p1.ask(act(async move {
                    p2.ask(act(async move { back.ask(Note(1)).no_timeout().await })).no_timeout().await
                }))
                .no_timeout()
                .await
            }))
            .no_timeout()
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert_eq!(cycle_of(answer), ["p2", "p0", "p1"]);
        system.shutdown().await;
    });
}

#[test]
fn m5_the_cycle_is_found_through_join_and_select() {
    on_every_runtime(|| async {
        let system = System::new();
        let [p0, p1, p2] = puppets(&system).await;
        for select in [false, true] {
            let (back, harmless, guilty) = (p0.clone(), p1.clone(), p2.clone());
            let answer = p0
                .ask(act(async move {
                    let never = hold();
                    let harmless = harmless.ask(act(async move {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        drop(never);
                    }));
                    let guilty = guilty.ask(act(async move { back.ask(Note(1)).no_timeout().await }));
                    if select {
                        tokio::select! {
                            answer = guilty.no_timeout().into_future() => answer.unwrap(),
                            harmless = harmless.no_timeout().into_future() => panic!("{harmless:?} came first"),
                        }
                    } else {
                        tokio::join!(harmless.no_timeout().into_future(), guilty.no_timeout().into_future()).1.unwrap()
                    }
                }))
                .no_timeout()
                .await
                .unwrap();
            assert_eq!(cycle_of(answer), ["p2", "p0"]);
            eventually("the other branch has ended", || p1.depth() == 0).await;
        }
        system.shutdown().await;
    });
}

/// Both begin at the same time: at least one is told, and then the other is answered.
#[test]
fn m5_of_two_that_ask_each_other_at_once_at_least_one_is_told() {
    for flavor in Flavor::ALL {
        flavor.run(|| async {
            let system = System::new();
            let [p0, p1] = puppets(&system).await;
            for _ in 0..cases(100, 5_000) {
                let start = Arc::new(tokio::sync::Barrier::new(2));
                let ask = |other: ModuleRef<Puppet>, start: Arc<tokio::sync::Barrier>| {
                    act(async move {
                        start.wait().await;
                        other.ask(Note(1)).no_timeout().await
                    })
                };
                let (one, other) = tokio::join!(
                    p0.ask(ask(p1.clone(), start.clone())).no_timeout().into_future(),
                    p1.ask(ask(p0.clone(), start.clone())).no_timeout().into_future(),
                );
                let answers = [one.unwrap(), other.unwrap()];
                let told =
                    answers.iter().filter(|answer| matches!(answer, Err(AskError::WouldDeadlock { .. }))).count();
                let answered = answers.iter().filter(|answer| **answer == Ok(1)).count();
                assert!(told >= 1 && told + answered == 2, "{answers:?}");
            }
            system.shutdown().await;
        });
    }
}

#[test]
fn m5_two_modules_that_wait_for_room_in_each_others_mailboxes_are_told() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let p0 = system.register_module(puppet(&log)).name("p0").mailbox(1).await.unwrap();
        let p1 = system.register_module(puppet(&log)).name("p1").mailbox(1).await.unwrap();
        let start = Arc::new(tokio::sync::Barrier::new(2));
        let flood = |other: ModuleRef<Puppet>, start: Arc<tokio::sync::Barrier>| {
            act(async move {
                start.wait().await;
                let (mut accepted, mut told) = (0, Vec::new());
                for number in 0..3 {
                    match other.send(Note(number)).await {
                        Ok(()) => accepted += 1,
                        Err(SendError::WouldDeadlock(message, cycle)) => {
                            assert_eq!(message, Note(number));
                            told.push(cycle.modules().to_vec());
                        }
                        Err(error) => panic!("{error:?}"),
                    }
                }
                (accepted, told)
            })
        };
        let (one, other) = tokio::join!(
            p0.ask(flood(p1.clone(), start.clone())).no_timeout().into_future(),
            p1.ask(flood(p0.clone(), start.clone())).no_timeout().into_future(),
        );
        let ((accepted_0, told_0), (accepted_1, told_1)) = (one.unwrap(), other.unwrap());
        assert!(!told_0.is_empty() || !told_1.is_empty());
        assert!(told_0.iter().all(|cycle| cycle == &["p0", "p1"]), "{told_0:?}");
        assert!(told_1.iter().all(|cycle| cycle == &["p1", "p0"]), "{told_1:?}");
        let reports = [p0.drain().await.unwrap(), p1.drain().await.unwrap()];
        assert_eq!(reports.map(|report| report.undelivered), [0, 0]);
        assert_eq!(log.len(), accepted_0 + accepted_1);
    });
}

#[test]
fn m5_a_send_that_waits_for_the_room_of_its_asker_is_told() {
    on_every_runtime(|| async {
        let system = System::new();
        let p0 = system.register_module(Puppet::default()).name("p0").mailbox(1).await.unwrap();
        let [p1] = {
            let p1 = system.register_module(Puppet::default()).name("p1").await.unwrap();
            [p1]
        };
        let asker = p0.clone();
        let answer = p0
            .ask(act(async move {
                asker.send(Note(0)).await.unwrap();
                // Its own send has filled the mailbox: the other one waits for room that this handler keeps.
                p1.ask(act(async move { asker.send(Note(1)).await })).no_timeout().await
            }))
            .no_timeout()
            .await
            .unwrap()
            .unwrap();
        match answer {
            Err(SendError::WouldDeadlock(Note(1), cycle)) => assert_eq!(cycle.modules(), ["p1", "p0"]),
            other => panic!("{other:?}"),
        }
        system.shutdown().await;
    });
}

#[test]
fn m5_an_ask_that_waits_for_room_is_told() {
    on_every_runtime(|| async {
        let system = System::new();
        let p0 = system.register_module(Puppet::default()).name("p0").mailbox(1).await.unwrap();
        let p1 = system.register_module(Puppet::default()).name("p1").await.unwrap();
        let asker = p0.clone();
        let answer = p0
            .ask(act(async move {
                asker.send(Note(0)).await.unwrap();
                p1.ask(act(async move { asker.ask(Note(1)).no_timeout().await })).no_timeout().await
            }))
            .no_timeout()
            .await
            .unwrap()
            .unwrap();
        assert_eq!(cycle_of(answer), ["p1", "p0"]);
        system.shutdown().await;
    });
}

#[test]
fn m5_a_child_whose_init_asks_its_parent_is_told() {
    on_every_runtime(|| async {
        let system = System::new();
        let [parent] = puppets(&system).await;
        let told = Log::new();
        let log = told.clone();
        let registered = parent
            .ask(act_in(move |ctx| {
                let parent = ctx.self_ref();
                let child = Puppet::default().on_init(move |_| {
                    Box::pin(async move {
                        log.push(parent.ask(Note(1)).no_timeout().await);
                        Ok(())
                    })
                });
                let child = ctx.register_module(child).name("child");
                Box::pin(async move { child.await.is_ok() })
            }))
            .no_timeout()
            .await;
        assert_eq!(registered, Ok(true));
        let told = told.take();
        assert_eq!(told.len(), 1);
        assert_eq!(cycle_of(told.into_iter().next().unwrap()), ["child", "p0"]);
        system.shutdown().await;
    });
}

#[test]
fn m5_a_stop_hook_that_asks_a_module_that_waits_for_its_end_is_told() {
    on_every_runtime(|| async {
        let system = System::new();
        let [p0] = puppets(&system).await;
        let told = Log::new();
        let (log, asked) = (told.clone(), p0.clone());
        let stopping = Puppet::default().on_stop(move |_| {
            Box::pin(async move {
                log.push(asked.ask(Note(1)).no_timeout().await);
                Ok(())
            })
        });
        let stopping = system.register_module(stopping).name("stopping").await.unwrap();
        p0.ask(act(async move { stopping.stop().await.unwrap() })).no_timeout().await.unwrap();
        let told = told.take();
        assert_eq!(told.len(), 1);
        assert_eq!(cycle_of(told.into_iter().next().unwrap()), ["stopping", "p0"]);
        system.shutdown().await;
    });
}

#[test]
fn m5_two_modules_that_stop_each_other_both_end() {
    on_every_runtime(|| async {
        let system = System::new();
        let [p0, p1] = puppets(&system).await;
        let start = Arc::new(tokio::sync::Barrier::new(2));
        let stop = |other: ModuleRef<Puppet>, start: Arc<tokio::sync::Barrier>| {
            act(async move {
                start.wait().await;
                other.stop().await.unwrap();
            })
        };
        p0.send(stop(p1.clone(), start.clone())).await.unwrap();
        p1.send(stop(p0.clone(), start.clone())).await.unwrap();
        tokio::join!(p0.stopped(), p1.stopped());
    });
}

#[test]
fn m5_a_child_that_stops_its_parent_does_not_wait_for_its_own_end() {
    on_every_runtime(|| async {
        let system = System::new();
        let [parent] = puppets(&system).await;
        let child = parent
            .ask(act_in(|ctx| {
                let child = ctx.register_module(Puppet::default()).name("child");
                Box::pin(async move { child.await.unwrap() })
            }))
            .await
            .unwrap();
        let above = parent.clone();
        child.send(act(async move { drop(above.stop().await.unwrap()) })).await.unwrap();
        parent.stopped().await;
        assert!(child.state().is_ended());
    });
}

#[test]
fn m5_what_a_spawned_task_asks_is_not_attributed_and_ends_at_its_deadline() {
    on_paused(|| async {
        let system = System::new();
        let [p0, p1] = puppets(&system).await;
        let begun = Instant::now();
        let asker = p0.clone();
        let answer = p0
            .ask(act_in(move |ctx| {
                let task = ctx.spawn("asks", async move {
                    p1.ask(act(async move { asker.ask(Note(1)).await })).no_timeout().await
                });
                Box::pin(async move { task.await.unwrap() })
            }))
            .no_timeout()
            .await
            .unwrap()
            .unwrap();
        assert!(matches!(answer, Err(AskError::Timeout { .. })), "{answer:?}");
        assert!(begun.elapsed() >= Duration::from_secs(5));
        system.shutdown().await;
    });
}

#[test]
fn m5_a_cycle_is_found_across_systems() {
    on_every_runtime(|| async {
        let (here, there) = (System::new(), System::new());
        let [p0] = puppets(&here).await;
        let other = there.register_module(Puppet::default()).name("other").await.unwrap();
        let back = p0.clone();
        let answer = p0
            .ask(act(
                async move { other.ask(act(async move { back.ask(Note(1)).no_timeout().await })).no_timeout().await },
            ))
            .no_timeout()
            .await
            .unwrap()
            .unwrap();
        assert_eq!(cycle_of(answer), ["other", "p0"]);
        here.shutdown().await;
        there.shutdown().await;
    });
}

#[test]
fn m5_a_cycle_of_a_thousand_is_found() {
    on_paused(|| async {
        fn next(mut ring: Vec<ModuleRef<Puppet>>, first: ModuleRef<Puppet>) -> dms_tests::Do<Answer> {
            act(async move {
                match ring.pop() {
                    Some(module) => module.ask(next(ring, first)).no_timeout().await.and_then(|answer| answer),
                    None => first.ask(Note(1)).no_timeout().await,
                }
            })
        }
        let system = System::new();
        let mut ring = Vec::new();
        for _ in 0..1_000 {
            ring.push(system.register_module(Puppet::default()).await.unwrap());
        }
        let first = ring.pop().unwrap();
        let answer = first.ask(next(ring, first.clone())).no_timeout().await.unwrap();
        assert_eq!(cycle_of(answer).len(), 1_000);
        system.shutdown().await;
    });
}

#[test]
fn m5_a_module_may_ask_another_again_and_again_and_be_asked_between() {
    on_every_runtime(|| async {
        let system = System::new();
        let [p0, p1] = puppets(&system).await;
        for round in 0..200 {
            let (other, asker) = if round % 2 == 0 { (p0.clone(), p1.clone()) } else { (p1.clone(), p0.clone()) };
            let answer = asker.ask(act(async move { other.ask(Note(round)).await })).await.unwrap();
            assert_eq!(answer, Ok(round));
        }
        system.shutdown().await;
    });
}

/// The asker has its answer, though it has not run since: nobody waits for anybody.
#[test]
fn m5_a_stop_hook_may_ask_a_module_whose_own_ask_has_just_been_answered() {
    on_every_runtime(|| async {
        let system = System::new();
        let [p0] = puppets(&system).await;
        let told: Log<Answer> = Log::new();
        let (log, asked) = (told.clone(), p0.clone());
        let stopping = Puppet::default().on_stop(move |_| {
            Box::pin(async move {
                log.push(asked.ask(Note(1)).await);
                Ok(())
            })
        });
        let stopping = system.register_module(stopping).name("stopping").await.unwrap();
        let (holding, mut held) = hold();
        let asked = stopping.clone();
        let ask = tokio::spawn(async move { p0.ask(act(async move { asked.ask(act(holding)).await })).await.unwrap() });
        held.begun().await;
        let stop = tokio::spawn(async move { stopping.stop().await.unwrap() });
        settle().await;
        held.release();
        assert_eq!(ask.await.unwrap(), Ok(()));
        stop.await.unwrap();
        assert_eq!(told.take(), [Ok(1)]);
    });
}

/// As above, with a message instead of a stop hook.
#[test]
fn m5_the_next_handler_may_ask_a_module_whose_own_ask_has_just_been_answered() {
    on_every_runtime(|| async {
        let system = System::new();
        let [p0, p1] = puppets(&system).await;
        for _ in 0..50 {
            let held = held(&p1).await;
            let (first, back) = (p1.clone(), p0.clone());
            let ask = tokio::spawn({
                let p0 = p0.clone();
                async move { p0.ask(act(async move { first.ask(Note(1)).await })).await.unwrap() }
            });
            eventually("it asks", || p1.depth() == 1).await;
            let next = tokio::spawn({
                let p1 = p1.clone();
                async move { p1.ask(act(async move { back.ask(Note(2)).await })).await.unwrap() }
            });
            eventually("it asks", || p1.depth() == 2).await;
            held.release();
            assert_eq!(ask.await.unwrap(), Ok(1));
            assert_eq!(next.await.unwrap(), Ok(2));
        }
        system.shutdown().await;
    });
}

/// Layers of modules that ask only downwards can never wait for each other, whatever the order of things.
#[test]
fn m5_asks_that_cannot_deadlock_are_never_told_that_they_would() {
    const LAYERS: usize = 4;
    const WIDTH: usize = 3;

    /// Asks `fan` modules of the next layer, some at once and some one after the other; counts the handlers that ran.
    fn descend(layers: Arc<Vec<Vec<ModuleRef<Puppet>>>>, layer: usize, seed: u64) -> dms_tests::Do<u64> {
        act(async move {
            let Some(below) = layers.get(layer) else { return 1 };
            let pick = |shift: u32| below[usize::try_from((seed >> shift) % WIDTH as u64).unwrap()].clone();
            let next = |number: u64| seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(number);
            let (one, other) = (pick(7), pick(13));
            let ask_one = one.ask(descend(layers.clone(), layer + 1, next(1))).no_timeout();
            let ask_other = other.ask(descend(layers.clone(), layer + 1, next(2))).no_timeout();
            match seed >> 3 & 3 {
                0 => 1 + ask_one.await.unwrap(),
                1 => 1 + ask_one.await.unwrap() + ask_other.await.unwrap(),
                2 => {
                    let (one, other) = tokio::join!(ask_one.into_future(), ask_other.into_future());
                    1 + one.unwrap() + other.unwrap()
                }
                _ => tokio::select! {
                    one = ask_one.into_future() => 1 + one.unwrap(),
                    other = ask_other.into_future() => 1 + other.unwrap(),
                },
            }
        })
    }

    let graphs = cases(40, 1_000);
    for flavor in [Flavor::MultiThread, Flavor::CurrentThread] {
        flavor.runtime().block_on(async {
            let system = System::new();
            let mut layers = Vec::new();
            for layer in 0..LAYERS {
                let mut modules = Vec::new();
                for _ in 0..WIDTH {
                    let registration = system.register_module(Puppet::default());
                    // Bounded ones below, so that asks wait for room as well.
                    modules.push(if layer % 2 == 1 { registration.mailbox(1) } else { registration }.await.unwrap());
                }
                layers.push(modules);
            }
            let layers = Arc::new(layers);
            let mut handled = 0;
            for graph in 0..u64::from(graphs) {
                let asks: Vec<_> = (0..25_u64)
                    .map(|ask| {
                        let seed = (graph << 16 | ask).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                        let top = layers[0][usize::try_from(ask).unwrap() % WIDTH].clone();
                        let layers = layers.clone();
                        tokio::spawn(async move { top.ask(descend(layers, 1, seed)).no_timeout().await })
                    })
                    .collect();
                for ask in asks {
                    let answer = tokio::time::timeout(Duration::from_secs(20), ask).await.expect("no hang").unwrap();
                    handled += answer.unwrap_or_else(|error| panic!("graph {graph}: {error}"));
                }
            }
            assert!(handled > u64::from(graphs) * 25 * 3, "{handled}");
            system.shutdown().await;
        });
    }
}
