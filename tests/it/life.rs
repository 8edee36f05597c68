//! L1 and L3: the states of a module's life, and what a failure takes down.

use std::time::Duration;

use dms::{AskError, Failure, ModuleError, ModuleRef, ModuleState, RegisterError, System};
use dms_tests::{
    Boom, Drops, Log, Note, Puppet, act, act_in, events_of, eventually, held, hold, on_every_runtime, on_paused, puppet,
};

/// Watches a module until it has ended.
fn watch(module: &ModuleRef<Puppet>) -> tokio::task::JoinHandle<Vec<ModuleState>> {
    let module = module.clone();
    tokio::spawn(async move {
        let mut seen = vec![module.state()];
        while let Some(last) = seen.last()
            && !last.is_ended()
        {
            seen.push(module.changed_from(*last).await);
        }
        seen
    })
}

#[test]
fn l1_a_module_goes_through_its_states_in_order_and_is_watched() {
    on_every_runtime(|| async {
        let system = System::new();
        let (init, mut in_init) = hold();
        let (start, mut in_start) = hold();
        let (stop, mut in_stop) = hold();
        let reference = Log::new();
        let got = reference.clone();
        let hooks = std::sync::Mutex::new(Some((init, start, stop)));
        let registration = system.register_with(move |itself| {
            got.push(itself);
            let (init, start, stop) = hooks.lock().unwrap().take().unwrap();
            Puppet::default()
                .on_init(|_| {
                    Box::pin(async {
                        init.await;
                        Ok(())
                    })
                })
                .on_start(|_| {
                    Box::pin(async {
                        start.await;
                        Ok(())
                    })
                })
                .on_stop(|_| {
                    Box::pin(async {
                        stop.await;
                        Ok(())
                    })
                })
        });
        let registered = tokio::spawn(registration.into_future());
        in_init.begun().await;
        let module = reference.take().pop().unwrap();
        let seen = watch(&module);
        assert_eq!(module.state(), ModuleState::Init);
        tokio::time::sleep(Duration::from_millis(20)).await;
        in_init.release();
        in_start.begun().await;
        assert_eq!(module.state(), ModuleState::Start);
        assert_eq!(system.modules()[0].state, ModuleState::Start);
        assert!(!registered.is_finished(), "`start` runs before the registration returns");
        tokio::time::sleep(Duration::from_millis(20)).await;
        in_start.release();
        assert_eq!(registered.await.unwrap().unwrap(), module);
        assert_eq!(module.state(), ModuleState::Running);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let stopping = tokio::spawn({
            let module = module.clone();
            async move { module.stop().await.unwrap() }
        });
        in_stop.begun().await;
        assert_eq!(module.state(), ModuleState::Stopping);
        tokio::time::sleep(Duration::from_millis(20)).await;
        in_stop.release();
        assert_eq!(stopping.await.unwrap().state, ModuleState::Stopped);
        assert_eq!(
            seen.await.unwrap(),
            [ModuleState::Init, ModuleState::Start, ModuleState::Running, ModuleState::Stopping, ModuleState::Stopped,]
        );
    });
}

#[test]
fn l1_stopped_means_dropped() {
    on_every_runtime(|| async {
        let system = System::new();
        for _ in 0..50 {
            let dropped = Drops::new();
            let module = system.register_module(Puppet::default().keeping(dropped.token())).await.unwrap();
            let watching = tokio::spawn({
                let (module, dropped) = (module.clone(), dropped.clone());
                async move { (module.stopped().await.state, dropped.count()) }
            });
            module.stop().await.unwrap();
            assert_eq!(dropped.count(), 1);
            assert_eq!(watching.await.unwrap(), (ModuleState::Stopped, 1));
        }
        assert!(system.modules().is_empty());
    });
}

#[test]
fn l1_init_and_start_run_before_the_registration_returns_and_messages_wait_for_them() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let (at_init, at_start) = (log.clone(), log.clone());
        let module = puppet(&log)
            .on_init(move |ctx| {
                Box::pin(async move {
                    // Sent before the mailbox is served: accepted, and handled after the hooks, in order.
                    ctx.self_ref().send(Note(3)).await?;
                    ctx.self_ref().send(Note(4)).await?;
                    tokio::task::yield_now().await;
                    at_init.push(1);
                    Ok(())
                })
            })
            .on_start(move |_| {
                Box::pin(async move {
                    tokio::task::yield_now().await;
                    at_start.push(2);
                    Ok(())
                })
            });
        let module = system.register_module(module).await.unwrap();
        assert_eq!(log.all()[..2], [1, 2]);
        module.ask(Note(5)).await.unwrap();
        assert_eq!(log.all(), [1, 2, 3, 4, 5]);
        system.shutdown().await;
    });
}

/// How the registration of a module ended, and that nothing of it is left.
async fn refused(module: Puppet) -> RegisterError {
    let system = System::new();
    let dropped = Drops::new();
    let error = system.register_module(module.keeping(dropped.token())).name("name").await.unwrap_err();
    assert_eq!(dropped.count(), 1, "it is dropped when the error comes");
    assert!(system.modules().is_empty());
    assert!(system.get::<Puppet>("name").is_err());
    let again = system.register_module(Puppet::default()).name("name").await.unwrap();
    assert_eq!(again.ask(Note(1)).await, Ok(1), "the name is free again");
    assert_eq!(system.shutdown().await.modules.len(), 1);
    error
}

#[test]
fn l1_an_error_in_init_or_start_comes_back_typed_from_the_registration() {
    on_every_runtime(|| async {
        let stops = Log::new();
        for hook in ["init", "start"] {
            let fail = || Box::pin(async { Err(ModuleError::from(std::io::Error::other("no disk"))) });
            let log = stops.clone();
            let module = Puppet::default().on_stop(move |_| {
                Box::pin(async move {
                    log.push(hook);
                    Ok(())
                })
            });
            let module =
                if hook == "init" { module.on_init(move |_| fail()) } else { module.on_start(move |_| fail()) };
            let error = refused(module).await;
            assert_eq!(error.to_string(), format!("`{hook}` of module `name` failed"));
            let RegisterError::Hook { module, hook: failed, source } = error else { panic!("{error:?}") };
            assert_eq!((&*module, failed), ("name", hook));
            assert!(source.downcast_ref::<std::io::Error>().is_some(), "the error itself, to be looked at");
        }
        assert_eq!(stops.all(), ["start"], "`stop` releases what a successful `init` took");
    });
}

#[test]
fn l1_a_panic_in_init_or_start_or_the_constructor_comes_back_typed_from_the_registration() {
    on_every_runtime(|| async {
        for hook in ["init", "start"] {
            let panic = || {
                Box::pin(async {
                    tokio::task::yield_now().await;
                    std::panic::resume_unwind(Box::new("bad luck"))
                })
            };
            let module = Puppet::default().on_stop(|_| unreachable!("no hook runs after a panic"));
            let module =
                if hook == "init" { module.on_init(move |_| panic()) } else { module.on_start(move |_| panic()) };
            let error = refused(module).await;
            let RegisterError::Panicked { module, place, text } = error else { panic!("{error:?}") };
            assert_eq!((&*module, place, &*text), ("name", hook, "bad luck"));
        }
        let system = System::new();
        let references = Log::new();
        let got = references.clone();
        let error = system
            .register_with::<Puppet>(move |itself| {
                got.push(itself);
                std::panic::resume_unwind(Box::new("not even built"))
            })
            .name("name")
            .await
            .unwrap_err();
        let RegisterError::Panicked { module, place, text } = error else { panic!("{error:?}") };
        assert_eq!((&*module, place, &*text), ("name", "new", "not even built"));
        let got_out: ModuleRef<Puppet> = references.take().pop().unwrap();
        assert_eq!(got_out.try_send(Note(1)).unwrap_err().into_message(), Note(1));
        assert!(got_out.stopped().await.state.is_ended());
        system.register_module(Puppet::default()).name("name").await.unwrap();
        system.shutdown().await;
    });
}

#[test]
fn l1_what_had_started_is_stopped_in_reverse_when_start_fails() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let (children, own) = (log.clone(), log.clone());
        let parent = Puppet::default()
            .on_init(move |ctx| {
                let child = |number: u64| {
                    let log = children.clone();
                    ctx.register_module(Puppet::default().on_stop(move |_| {
                        Box::pin(async move {
                            log.push(number);
                            Ok(())
                        })
                    }))
                };
                let (first, second) = (child(1), child(2));
                Box::pin(async move {
                    first.await?;
                    second.await?;
                    Ok(())
                })
            })
            .on_start(|_| Box::pin(async { Err("no".into()) }))
            .on_stop(move |_| {
                Box::pin(async move {
                    own.push(0);
                    Ok(())
                })
            });
        assert!(matches!(system.register_module(parent).await, Err(RegisterError::Hook { hook: "start", .. })));
        assert_eq!(log.all(), [2, 1, 0]);
        assert!(system.modules().is_empty());
    });
}

#[test]
fn l1_a_registration_that_is_dropped_leaves_nothing() {
    on_every_runtime(|| async {
        let system = System::new();
        let dropped = Drops::new();
        // Before it is polled.
        drop(system.register_module(Puppet::default().keeping(dropped.token())).name("name"));
        drop(system.register_module(Puppet::default().keeping(dropped.token())).name("name").into_future());
        assert_eq!(dropped.count(), 2);
        // While `init` runs.
        let (init, mut in_init) = hold();
        let module = Puppet::default()
            .keeping(dropped.token())
            .on_init(|_| {
                Box::pin(async {
                    init.await;
                    Ok(())
                })
            })
            .on_start(|_| unreachable!("nobody wants it any more"));
        let mut registration = Box::pin(system.register_module(module).name("name").into_future());
        assert!(futures::poll!(registration.as_mut()).is_pending());
        in_init.begun().await;
        drop(registration);
        in_init.release();
        eventually("it is gone", || system.modules().is_empty()).await;
        assert_eq!(dropped.count(), 3);
        // When it runs already, but was not handed over.
        let mut registration =
            Box::pin(system.register_module(Puppet::default().keeping(dropped.token())).name("name").into_future());
        if let std::task::Poll::Ready(module) = futures::poll!(registration.as_mut()) {
            // On several threads it may be as quick as that: then it was handed over.
            module.unwrap().stop().await.unwrap();
        } else {
            let runs = || system.modules().first().is_some_and(|module| module.state == ModuleState::Running);
            eventually("it runs", runs).await;
        }
        drop(registration);
        eventually("it is gone", || system.modules().is_empty()).await;
        assert_eq!(dropped.count(), 4);
        system.register_module(Puppet::default()).name("name").await.unwrap();
        system.shutdown().await;
    });
}

#[test]
fn l1_a_module_that_is_told_to_stop_while_it_starts_does_not_run() {
    on_every_runtime(|| async {
        let system = System::new();
        let (init, mut in_init) = hold();
        let stops = Log::new();
        let log = stops.clone();
        let module = Puppet::default()
            .on_init(|_| {
                Box::pin(async {
                    init.await;
                    Ok(())
                })
            })
            .on_stop(move |_| {
                Box::pin(async move {
                    log.push(0);
                    Ok(())
                })
            });
        let registered = tokio::spawn(system.register_module(module).name("name").into_future());
        in_init.begun().await;
        let stop = tokio::spawn({
            let system = system.reference();
            async move { system.stop("name").await }
        });
        eventually("it is told", || system.get::<Puppet>("name").unwrap().try_send(Note(1)).is_err()).await;
        in_init.release();
        assert!(matches!(registered.await.unwrap(), Err(RegisterError::ShuttingDown { .. })));
        assert_eq!(stop.await.unwrap().unwrap().state, ModuleState::Stopped);
        assert_eq!(stops.len(), 1);
    });
}

#[test]
fn l1_a_shutdown_while_a_module_starts_waits_for_it_and_stops_it() {
    on_every_runtime(|| async {
        let system = System::new();
        let (init, mut in_init) = hold();
        let dropped = Drops::new();
        let module = Puppet::default().keeping(dropped.token()).on_init(|_| {
            Box::pin(async {
                init.await;
                Ok(())
            })
        });
        let registered = tokio::spawn(system.register_module(module).into_future());
        in_init.begun().await;
        let (report, ()) = tokio::join!(system.shutdown(), async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            in_init.release();
        });
        assert_eq!((report.modules.len(), dropped.count()), (1, 1));
        assert!(registered.await.unwrap().is_err());
    });
}

#[test]
fn l3_a_panic_takes_down_one_module_and_is_reported_once_with_its_message() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let system = System::new();
            let bad = system.register_module(Puppet::default()).name("bad").await.unwrap();
            let good = system.register_module(Puppet::default()).name("good").await.unwrap();
            let held = held(&bad).await;
            bad.send(Boom("this and no other")).await.unwrap();
            bad.send(Note(1)).await.unwrap();
            held.release();
            let report = bad.stopped().await;
            assert_eq!(report.state, ModuleState::Failed);
            assert_eq!(report.undelivered, 1);
            let text = "this and no other".to_owned();
            assert_eq!(report.failure, Some(Failure::Panic { place: "Boom".to_owned(), text }));
            assert!(matches!(bad.ask(Note(1)).await, Err(AskError::Stopped { .. })));
            assert!(system.get::<Puppet>("bad").is_err());
            assert_eq!(good.ask(Note(2)).await, Ok(2));
            system.shutdown().await;
        });
    });
    let told: Vec<_> = events.iter().filter(|event| event.text.contains("this and no other")).collect();
    assert_eq!(told.len(), 1, "{events:?}");
    assert!(told[0].level == tracing::Level::ERROR && told[0].text.contains("bad"));
}

#[test]
fn l3_all_watchers_are_told_of_a_failure() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let watchers: Vec<_> = (0..10)
            .map(|_| {
                let module = module.clone();
                tokio::spawn(async move { module.stopped().await })
            })
            .collect();
        let states = watch(&module);
        tokio::time::sleep(Duration::from_millis(5)).await;
        module.send(Boom("now")).await.unwrap();
        for watcher in watchers {
            let report = watcher.await.unwrap();
            assert!(report.state == ModuleState::Failed && matches!(report.failure, Some(Failure::Panic { .. })));
        }
        assert_eq!(states.await.unwrap().last(), Some(&ModuleState::Failed));
        assert_eq!(module.stopped().await.state, ModuleState::Failed, "also who asks later");
        system.shutdown().await;
    });
}

#[test]
fn l3_no_hook_runs_on_a_module_that_panicked_and_its_name_is_free_again() {
    on_every_runtime(|| async {
        let system = System::new();
        let dropped = Drops::new();
        let module =
            Puppet::default().keeping(dropped.token()).on_stop(|_| unreachable!("its state cannot be trusted"));
        let module = system.register_module(module).name("name").await.unwrap();
        module.send(Boom("now")).await.unwrap();
        let report = module.stopped().await;
        assert!(matches!(report.failure, Some(Failure::Panic { place, .. }) if place == "Boom"));
        assert_eq!(dropped.count(), 1);
        let again = system.register_module(Puppet::default()).name("name").await.unwrap();
        assert_ne!(again, module);
        assert!(module.try_send(Note(1)).is_err(), "the old reference names the old module");
        system.shutdown().await;
    });
}

#[test]
fn l3_the_module_that_asks_a_panicking_one_lives_on() {
    on_every_runtime(|| async {
        let system = System::new();
        let bad = system.register_module(Puppet::default()).await.unwrap();
        let asker = system.register_module(Puppet::default()).await.unwrap();
        let answer = asker.ask(act_in(move |_| Box::pin(async move { bad.ask(Boom("now")).await }))).await.unwrap();
        assert!(matches!(answer, Err(AskError::Panicked { .. })));
        assert_eq!(asker.ask(act(async { 3 })).await, Ok(3));
        system.shutdown().await;
    });
}
