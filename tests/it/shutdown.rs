//! L2 and L4: how a system ends.

use std::sync::Arc;
use std::time::Duration;

use dms::prelude::*;
use dms::{Failure, ModuleState, RegisterError};
use dms_tests::{
    Drops, Flavor, Log, Note, Puppet, act, act_in, eventually, held, hold, on_every_runtime, on_paused, puppet, settle,
};

#[test]
fn l2_handlers_that_run_finish_and_no_other_begins() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let mut modules = Vec::new();
        let mut holds = Vec::new();
        for _ in 0..3 {
            let module = system.register_module(puppet(&log)).await.unwrap();
            let (holding, mut held) = hold();
            let finished = log.clone();
            module
                .send(act(async move {
                    holding.await;
                    finished.push(1_000);
                }))
                .await
                .unwrap();
            held.begun().await;
            for number in 0..5 {
                module.send(Note(number)).await.unwrap();
            }
            modules.push(module);
            holds.push(held);
        }
        let idle = system.register_module(Puppet::default()).await.unwrap();
        let shutdown = tokio::spawn({
            let system = system.reference();
            async move { system.shutdown().await }
        });
        eventually("the shutdown has begun", || idle.state().is_ended()).await;
        for module in &modules {
            assert!(module.try_send(Note(9)).is_err(), "also those whose turn to stop has not come");
        }
        holds.into_iter().for_each(dms_tests::Held::release);
        let report = shutdown.await.unwrap();
        assert!(report.complete);
        assert_eq!(report.undelivered, 15);
        assert_eq!(report.modules.len(), 4);
        assert!(report.modules.iter().all(|module| module.state == ModuleState::Stopped && module.failure.is_none()));
        assert_eq!(report.overran, [""; 0]);
        assert_eq!(log.all(), [1_000, 1_000, 1_000]);
        assert_eq!(system.modules().len(), 0);
    });
}

#[test]
fn l2_stop_hooks_run_in_reverse_order_of_registration_and_each_module_is_dropped_before_the_next() {
    struct Note1(Log<String>, usize);
    impl Drop for Note1 {
        fn drop(&mut self) {
            self.0.push(format!("drop {}", self.1));
        }
    }
    on_every_runtime(|| async {
        let system = System::new();
        let log: Log<String> = Log::new();
        for number in 0..4 {
            let hook = log.clone();
            let module = Puppet::default()
                .on_stop(move |_| {
                    Box::pin(async move {
                        hook.push(format!("stop {number}"));
                        Ok(())
                    })
                })
                .keeping(Note1(log.clone(), number));
            system.register_module(module).name(format!("m{number}")).await.unwrap();
        }
        let report = system.shutdown().await;
        assert_eq!(log.all(), ["stop 3", "drop 3", "stop 2", "drop 2", "stop 1", "drop 1", "stop 0", "drop 0"]);
        let names: Vec<_> = report.modules.iter().map(|module| module.name.to_string()).collect();
        assert_eq!(names, ["m3", "m2", "m1", "m0"]);
    });
}

#[test]
fn l2_a_stop_hook_asks_a_module_registered_before_it_and_is_answered() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let base = system.register_module(puppet(&log)).await.unwrap();
        let held = held(&base).await;
        // This waits in front of the hook's question and is not handled: shutting down, no other message is.
        base.send(Note(0)).await.unwrap();
        let answers = Log::new();
        let hook = answers.clone();
        let asked = base.clone();
        let dependent = Puppet::default().on_stop(move |_| {
            Box::pin(async move {
                hook.push(asked.ask(Note(1)).await);
                hook.push(asked.ask(Note(2)).await);
                Ok(())
            })
        });
        system.register_module(dependent).await.unwrap();
        let last = system.register_module(Puppet::default()).await.unwrap();
        let (report, ()) = tokio::join!(system.shutdown(), async {
            last.stopped().await;
            assert!(
                matches!(base.ask(Note(8)).await, Err(AskError::Stopped { .. })),
                "nobody but the hook is answered"
            );
            held.release();
        });
        assert_eq!(answers.take(), [Ok(1), Ok(2)]);
        assert_eq!(log.all(), [1, 2]);
        assert_eq!(report.undelivered, 1);
    });
}

#[test]
fn l2_what_a_stop_hook_sends_to_a_module_registered_before_it_is_handled() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let base = system.register_module(puppet(&log)).await.unwrap();
        let bounded = system.register_module(puppet(&log)).mailbox(2).await.unwrap();
        let to = (base.clone(), bounded.clone());
        let dependent = Puppet::default().on_stop(move |_| {
            Box::pin(async move {
                for number in 0..50 {
                    to.0.send(Note(number)).await?;
                    to.1.send(Note(100 + number)).await?;
                }
                Ok(())
            })
        });
        system.register_module(dependent).await.unwrap();
        let report = system.shutdown().await;
        assert_eq!(report.undelivered, 0);
        assert!(report.modules.iter().all(|module| module.failure.is_none()), "{report:?}");
        let all = log.all();
        let mut own: Vec<_> = all.iter().copied().filter(|number| *number < 100).collect();
        own.dedup();
        assert_eq!(own, (0..50).collect::<Vec<_>>());
        assert_eq!(all.len(), 100);
    });
}

#[test]
fn l2_two_shutdowns_at_once_and_one_later_get_the_same_report() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).name("one").await.unwrap();
        let held = held(&module).await;
        module.send(Note(1)).await.unwrap();
        let last = system.register_module(Puppet::default()).name("last").await.unwrap();
        let others: Vec<_> = (0..4)
            .map(|_| {
                let system = system.reference();
                tokio::spawn(async move { system.shutdown().await })
            })
            .collect();
        last.stopped().await;
        held.release();
        let mut reports = Vec::new();
        for other in others {
            reports.push(other.await.unwrap());
        }
        reports.push(system.shutdown().await);
        for report in &reports {
            assert!(report.complete);
            assert_eq!(report.undelivered, 1);
            assert_eq!(
                report.modules.iter().map(|module| module.name.to_string()).collect::<Vec<_>>(),
                ["last", "one"]
            );
        }
        assert_eq!(reports.len(), 5);
    });
}

#[test]
fn l2_a_shutdown_goes_on_when_nobody_waits_for_it() {
    on_every_runtime(|| async {
        let system = System::new();
        let dropped = Drops::new();
        let module = system.register_module(Puppet::default().keeping(dropped.token())).await.unwrap();
        let held = held(&module).await;
        {
            let shutdown = system.shutdown();
            let mut shutdown = std::pin::pin!(shutdown);
            assert!(futures::poll!(shutdown.as_mut()).is_pending());
        }
        held.release();
        module.stopped().await;
        assert_eq!(dropped.count(), 1);
        assert!(system.shutdown().await.complete);
    });
}

#[test]
fn l2_shutdown_from_inside_a_handler_begins_and_returns_at_once() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        let report = module
            .ask(act_in(|ctx| {
                Box::pin(async move {
                    let report = ctx.system().shutdown().await;
                    (report.complete, ctx.self_ref().try_send(Note(1)).is_err())
                })
            }))
            .await
            .unwrap();
        assert_eq!(report, (false, true));
        let report = system.shutdown().await;
        assert!(report.complete);
        assert_eq!(report.modules.len(), 1);
        assert!(log.is_empty());
    });
}

#[test]
fn l2_stop_and_drain_of_oneself_begin_and_return_at_once() {
    on_every_runtime(|| async {
        let system = System::new();
        let stopped = system.register_module(Puppet::default()).await.unwrap();
        let states = stopped
            .ask(act_in(|ctx| {
                Box::pin(async move {
                    let report = ctx.self_ref().stop().await.unwrap();
                    (report.state.is_ended(), ctx.self_ref().stopped().await.state.is_ended())
                })
            }))
            .await;
        assert_eq!(states, Ok((false, false)));
        assert_eq!(stopped.stopped().await.state, ModuleState::Stopped);

        let log = Log::new();
        let drained = system.register_module(puppet(&log)).await.unwrap();
        let held = held(&drained).await;
        drained
            .send(act_in(|ctx| {
                Box::pin(async move { assert!(!ctx.self_ref().drain().await.unwrap().state.is_ended()) })
            }))
            .await
            .unwrap();
        drained.send(Note(1)).await.unwrap();
        held.release();
        let report = drained.stopped().await;
        assert_eq!((report.state, report.undelivered), (ModuleState::Stopped, 0));
        assert_eq!(log.all(), [1]);
        system.shutdown().await;
    });
}

/// What a stop of oneself reports while the handler runs.
#[test]
fn l2_stop_of_oneself_reports_that_it_is_stopping() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let state = module
            .ask(act_in(|ctx| Box::pin(async move { ctx.self_ref().stop().await.unwrap().state })))
            .await
            .unwrap();
        assert_eq!(state, ModuleState::Stopping);
        system.shutdown().await;
    });
}

#[test]
fn l2_sends_asks_and_registrations_during_and_after_a_shutdown_are_errors() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).name("one").await.unwrap();
        let held = held(&module).await;
        let shutdown = tokio::spawn({
            let system = system.reference();
            async move { system.shutdown().await }
        });
        eventually("the shutdown has begun", || module.try_send(Note(0)).is_err()).await;
        for during in [true, false] {
            assert!(matches!(module.send(Note(1)).await, Err(SendError::Stopped(Note(1), name)) if name == "one"));
            assert!(matches!(module.ask(Note(2)).await, Err(AskError::Stopped { .. })));
            let dropped = Drops::new();
            let refused = system.register_module(Puppet::default().keeping(dropped.token())).name("late").await;
            assert!(matches!(refused, Err(RegisterError::ShuttingDown { module }) if module == "late"));
            assert_eq!(dropped.count(), 1);
            if during {
                break;
            }
        }
        held.release();
        assert!(shutdown.await.unwrap().complete);
        assert!(module.send(Note(1)).await.is_err());
        let refused = system.register_module(Puppet::default()).name("late").await;
        assert!(matches!(refused, Err(RegisterError::ShuttingDown { module }) if module == "late"));
        assert!(module.request_tick(Note(1), Duration::from_millis(1)).skipped() == 0);
    });
}

#[test]
fn l2_shutdown_within_cuts_off_a_stuck_handler_and_names_it() {
    on_every_runtime(|| async {
        let system = System::new();
        let (dropped, stops) = (Drops::new(), Log::new());
        let hook = stops.clone();
        let stuck = Puppet::default().keeping(dropped.token()).on_stop(move |_| {
            Box::pin(async move {
                hook.push(0);
                Ok(())
            })
        });
        let stuck = system.register_module(stuck).name("stuck").await.unwrap();
        let held = held(&stuck).await;
        let asked = tokio::spawn({
            let stuck = stuck.clone();
            async move { stuck.ask(act(std::future::pending::<()>())).no_timeout().await }
        });
        eventually("the ask waits", || stuck.depth() == 1).await;
        let fine = system.register_module(Puppet::default().keeping(dropped.token())).name("fine").await.unwrap();
        let report = system.shutdown_within(Duration::from_millis(50)).await;
        assert_eq!(report.overran, ["stuck"]);
        assert!(report.complete);
        assert_eq!(report.undelivered, 1);
        assert_eq!(fine.state(), ModuleState::Stopped);
        assert_eq!(stuck.state(), ModuleState::Failed);
        assert_eq!(stuck.stopped().await.failure, Some(Failure::Aborted));
        assert_eq!(dropped.count(), 2);
        assert!(stops.is_empty(), "a module that was cut off runs no hook");
        assert!(asked.await.unwrap().is_err());
        drop(held);
    });
}

#[test]
fn l2_the_asker_of_a_handler_that_was_cut_off_is_told_at_once() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let asked = tokio::spawn({
            let module = module.clone();
            async move { module.ask(act(std::future::pending::<()>())).no_timeout().await }
        });
        settle().await;
        let begun = tokio::time::Instant::now();
        system.shutdown_within(Duration::from_secs(1)).await;
        assert!(asked.await.unwrap().is_err());
        assert_eq!(begun.elapsed().as_secs(), 1);
    });
}

#[test]
fn l2_a_deadline_may_come_after_the_shutdown_has_begun() {
    on_paused(|| async {
        let system = System::new();
        let stuck = system.register_module(Puppet::default()).name("stuck").await.unwrap();
        let held = held(&stuck).await;
        let begun = tokio::time::Instant::now();
        let (patient, report) = tokio::join!(system.shutdown(), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            system.shutdown_within(Duration::from_secs(2)).await
        });
        assert_eq!(begun.elapsed().as_secs(), 3);
        assert_eq!((patient.overran, report.overran), (vec!["stuck".to_owned()], vec!["stuck".to_owned()]));
        drop(held);
    });
}

#[test]
fn l2_a_stop_hook_that_fails_or_panics_is_reported_and_stops_nobody_else() {
    on_every_runtime(|| async {
        let system = System::new();
        let dropped = Drops::new();
        let first = Puppet::default().keeping(dropped.token());
        system.register_module(first).name("first").await.unwrap();
        let fails = Puppet::default().keeping(dropped.token()).on_stop(|_| Box::pin(async { Err("no".into()) }));
        system.register_module(fails).name("fails").await.unwrap();
        let panics = Puppet::default()
            .keeping(dropped.token())
            .on_stop(|_| Box::pin(async { std::panic::resume_unwind(Box::new("at the end")) }));
        system.register_module(panics).name("panics").await.unwrap();
        let report = system.shutdown().await;
        let failures: Vec<_> =
            report.modules.iter().map(|module| (module.name.to_string(), module.failure.clone())).collect();
        assert_eq!(
            failures,
            [
                ("panics".to_owned(), Some(Failure::Panic { place: "stop".to_owned(), text: "at the end".to_owned() })),
                ("fails".to_owned(), Some(Failure::Hook { hook: "stop", text: "no".to_owned() })),
                ("first".to_owned(), None),
            ]
        );
        assert_eq!(dropped.count(), 3);
    });
}

#[test]
fn l2_an_empty_system_shuts_down_at_once_also_without_a_runtime() {
    on_every_runtime(|| async {
        let report = System::new().shutdown().await;
        assert!(report.complete && report.modules.is_empty());
    });
    let system = System::new();
    let mut shutdown = std::pin::pin!(system.shutdown());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(std::future::Future::poll(shutdown.as_mut(), &mut cx).is_ready());
}

#[test]
fn l2_a_thousand_modules_with_ten_ticks_each_shut_down_under_load() {
    on_every_runtime(|| async {
        let system = System::new();
        let dropped = Drops::new();
        let log = Log::new();
        let mut modules = Vec::new();
        for _ in 0..1_000 {
            let module = system.register_module(puppet(&log).keeping(dropped.token())).await.unwrap();
            for tick in 1..=10 {
                module.request_tick(Note(tick), Duration::from_millis(200 * tick));
            }
            modules.push(module);
        }
        let modules = Arc::new(modules);
        let load: Vec<_> = (0..2)
            .map(|_| {
                let modules = modules.clone();
                tokio::spawn(async move {
                    // Asleep between, so that a paused clock goes on, and a machine with other work too.
                    while modules.iter().step_by(10).filter(|module| module.try_send(Note(0)).is_ok()).count() > 0 {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                })
            })
            .collect();
        eventually("there was something to do", || log.len() > 5_000).await;
        let report = system.shutdown().await;
        assert_eq!(report.modules.len(), 1_000);
        assert_eq!(dropped.count(), 1_000, "every module is dropped when the shutdown returns");
        for load in load {
            load.await.unwrap();
        }
        eventually("no task is alive", || tokio::runtime::Handle::current().metrics().num_alive_tasks() == 0).await;
    });
}

#[test]
fn l4_dropping_a_system_stops_its_modules_without_blocking() {
    on_every_runtime(|| async {
        let system = System::new();
        let (dropped, stops) = (Drops::new(), Log::new());
        let mut modules = Vec::new();
        for number in 0..3 {
            let hook = stops.clone();
            let module = Puppet::default().keeping(dropped.token()).on_stop(move |_| {
                Box::pin(async move {
                    hook.push(number);
                    Ok(())
                })
            });
            modules.push(system.register_module(module).await.unwrap());
        }
        let held = held(&modules[1]).await;
        modules[1].send(Note(1)).await.unwrap();
        let reference = system.reference();
        drop(system);
        assert!(modules[0].try_send(Note(1)).is_err(), "it has begun when the drop returns");
        held.release();
        let mut undelivered = 0;
        for module in &modules {
            undelivered += module.stopped().await.undelivered;
        }
        assert_eq!(undelivered, 1);
        assert_eq!(dropped.count(), 3);
        assert_eq!(stops.all(), [2, 1, 0]);
        assert!(reference.modules().is_empty());
        assert!(matches!(reference.register_module(Puppet::default()).await, Err(RegisterError::ShuttingDown { .. })));
        eventually("no task is alive", || tokio::runtime::Handle::current().metrics().num_alive_tasks() == 0).await;
    });
}

#[test]
fn l4_a_system_may_be_dropped_outside_its_runtime_and_after_it() {
    for flavor in Flavor::ALL {
        let dropped = Drops::new();
        let runtime = flavor.runtime();
        let system = System::new();
        let module = runtime
            .block_on(async { system.register_module(Puppet::default().keeping(dropped.token())).await.unwrap() });
        drop(system);
        runtime.block_on(module.stopped());
        assert_eq!(dropped.count(), 1);

        let system = System::new();
        let module = runtime
            .block_on(async { system.register_module(Puppet::default().keeping(dropped.token())).await.unwrap() });
        drop(runtime);
        assert_eq!(dropped.count(), 2);
        assert!(matches!(module.try_send(Note(1)), Err(SendError::Stopped(..))));
        assert_eq!(module.state(), ModuleState::Failed);
        drop(system);
    }
}

#[test]
fn l4_a_system_whose_runtime_went_down_shuts_down_at_once() {
    let runtime = Flavor::CurrentThread.runtime();
    let system = System::new();
    runtime.block_on(async { system.register_module(Puppet::default()).await.unwrap() });
    drop(runtime);
    Flavor::Paused.run(|| async {
        assert!(system.shutdown().await.complete);
    });
}

#[test]
fn l4_modules_live_until_they_are_stopped_whatever_references_are_dropped() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).name("alone").await.unwrap();
        module.request_tick(Note(1), Duration::from_secs(1));
        drop(module);
        tokio::time::sleep(Duration::from_millis(3_500)).await;
        assert_eq!(log.all(), [1, 1, 1]);
        let again = system.get::<Puppet>("alone").unwrap();
        assert_eq!(again.ask(Note(2)).await, Ok(2));
        drop(again);
        assert_eq!(system.shutdown().await.modules.len(), 1);
    });
}

#[test]
fn l4_a_child_is_stopped_with_its_parent_before_the_parents_stop_hook() {
    on_every_runtime(|| async {
        let system = System::new();
        let (log, dropped) = (Log::new(), Drops::new());
        let hook = log.clone();
        let parent = Puppet::default().keeping(dropped.token()).on_stop(move |_| {
            Box::pin(async move {
                hook.push(0);
                Ok(())
            })
        });
        let parent = system.register_module(parent).await.unwrap();
        let mut children = Vec::new();
        for number in 1..=3 {
            let hook = log.clone();
            let above = parent.clone();
            let child = Puppet::default().keeping(dropped.token()).on_stop(move |_| {
                Box::pin(async move {
                    // A parent still answers its children's stop hooks.
                    assert_eq!(above.ask(Note(number)).await, Ok(number));
                    hook.push(number);
                    Ok(())
                })
            });
            let child = parent
                .ask(act_in(move |ctx| {
                    let child = ctx.register_module(child);
                    Box::pin(async move { child.await.unwrap() })
                }))
                .await
                .unwrap();
            children.push(child);
        }
        let other = system.register_module(Puppet::default()).await.unwrap();
        let parents: Vec<_> = system.modules().iter().map(|module| module.parent).collect();
        assert_eq!(parents, [None, Some(parent.id()), Some(parent.id()), Some(parent.id()), None]);
        let report = parent.stop().await.unwrap();
        assert_eq!((report.state, report.failure), (ModuleState::Stopped, None));
        assert_eq!(log.all(), [3, 2, 1, 0]);
        assert_eq!(dropped.count(), 4);
        for child in children {
            let report = child.stopped().await;
            assert_eq!((report.state, report.failure), (ModuleState::Stopped, None));
        }
        assert_eq!(other.ask(Note(1)).await, Ok(1));
        assert_eq!(system.modules().len(), 1);
        system.shutdown().await;
    });
}

#[test]
fn l4_the_children_of_a_module_that_panics_are_stopped() {
    on_every_runtime(|| async {
        let system = System::new();
        let parent = system.register_module(Puppet::default()).await.unwrap();
        let child = parent
            .ask(act_in(|ctx| {
                let child = ctx.register_module(Puppet::default());
                Box::pin(async move { child.await.unwrap() })
            }))
            .await
            .unwrap();
        parent.send(dms_tests::Boom("down")).await.unwrap();
        assert_eq!(parent.stopped().await.state, ModuleState::Failed);
        assert_eq!(child.state(), ModuleState::Stopped);
        system.shutdown().await;
    });
}

#[test]
fn l4_two_systems_know_nothing_of_each_other() {
    on_every_runtime(|| async {
        let (one, other) = (System::new(), System::new());
        let first = one.register_module(Puppet::default()).name("same").await.unwrap();
        let second = other.register_module(Puppet::default()).name("same").await.unwrap();
        assert_ne!(first, second);
        assert_eq!(one.get::<Puppet>("same").unwrap(), first);
        assert_eq!(other.get::<Puppet>("same").unwrap(), second);
        assert_eq!(one.shutdown().await.modules.len(), 1);
        assert!(first.try_send(Note(1)).is_err());
        assert_eq!(second.ask(Note(1)).await, Ok(1));
        assert_eq!(other.modules().len(), 1);
        other.shutdown().await;
    });
}

/// Answers when it is let.
#[module]
struct Slow {
    let_go: Arc<tokio::sync::Semaphore>,
    begun: Log<()>,
}

#[module]
impl Slow {
    #[handler(Wait)]
    async fn wait(&self) -> u64 {
        self.begun.push(());
        self.let_go.acquire().await.map_or(0, |permit| {
            permit.forget();
            7
        })
    }
}

/// Asks three times at once when it stops.
#[module]
struct Late {
    slow: ModuleRef<Slow>,
    answers: Log<bool>,
}

#[module]
impl Late {
    #[stop]
    async fn stop(&mut self) {
        let answers = tokio::join!(self.slow.ask(Wait), self.slow.ask(Wait), self.slow.ask(Wait));
        for answer in [answers.0, answers.1, answers.2] {
            self.answers.push(matches!(answer, Ok(7)));
        }
    }
}

/// The module has all three in hand when it is told to stop.
#[test]
fn l2_what_a_stop_hook_has_asked_is_answered_though_the_asked_module_is_stopped() {
    on_every_runtime(|| async {
        let system = System::new();
        let let_go = Arc::new(tokio::sync::Semaphore::new(0));
        let (answers, begun) = (Log::new(), Log::new());
        let slow = Slow { let_go: Arc::clone(&let_go), begun: begun.clone() };
        let slow = system.register_module(slow).await.unwrap();
        system.register_module(Late { slow: slow.clone(), answers: answers.clone() }).await.unwrap();
        let reference = system.reference();
        let ended = tokio::spawn(async move { reference.shutdown().await });
        eventually("one has begun, two wait", || begun.len() == 1 && slow.depth() == 2).await;
        let stopped = tokio::spawn(async move { slow.stop().await.unwrap() });
        settle().await;
        let_go.add_permits(3);
        stopped.await.unwrap();
        let report = ended.await.unwrap();
        assert_eq!(answers.all(), [true, true, true]);
        assert_eq!(report.undelivered, 0);
    });
}
