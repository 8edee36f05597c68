//! Modules that a system cannot do without.

use std::pin::Pin;

use dms::prelude::*;
use dms::{Failure, ModuleState, RegisterError, StopError};
use dms_tests::{Log, Puppet, act_in, eventually, held, hold, names_of, needing, noted, on_every_runtime, on_paused};

/// The system cannot do without it.
#[module(name = "disk", flags(ESSENTIAL))]
#[derive(Default)]
struct Disk {
    fails_init: bool,
    fails_stop: bool,
    waits: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

#[module]
impl Disk {
    #[handler(Break)]
    fn break_down(&mut self) {
        panic!("no disk");
    }

    #[handler(Lose)]
    fn lose(&mut self, ctx: &mut Context<Self>) {
        drop(ctx.spawn("sync", async { Err::<(), _>(ModuleError::from("lost")) }));
    }

    #[handler(Give)]
    fn give_up(&mut self, ctx: &mut Context<Self>) -> Result<(), StopError> {
        ctx.stop()
    }

    #[init]
    async fn init(&mut self) -> Result<(), ModuleError> {
        if let Some(wait) = self.waits.take() {
            wait.await;
        }
        if self.fails_init { Err("no disk".into()) } else { Ok(()) }
    }

    #[stop]
    async fn stop(&mut self) -> Result<(), ModuleError> {
        if self.fails_stop { Err("still dirty".into()) } else { Ok(()) }
    }
}

/// Its loop ends when it is told.
#[module(name = "console", flags(ESSENTIAL))]
struct Console;

#[module]
impl Console {
    #[handler(Type)]
    fn typed(&self) {}

    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
        if let Some(message) = inbox.recv().await {
            inbox.dispatch(message, self, ctx).await;
        }
    }
}

#[test]
fn nothing_but_a_shutdown_stops_an_essential_module() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let store = needing(&system, &log, "store", &[]).await.unwrap();
        let disk = system.register_module(Disk::default()).depends_on("store").await.unwrap();
        let refused = StopError::Essential { module: "disk".into(), essential: "disk".into() };
        assert_eq!(refused.to_string(), "module `disk` was not stopped: it is essential; shut the system down instead");
        assert_eq!(disk.stop().await.unwrap_err(), refused);
        assert_eq!(disk.drain().with_dependents().await.unwrap_err(), refused);
        assert_eq!(disk.give_up().await.unwrap(), Err(refused));
        let error = store.stop().with_dependents().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "module `store` was not stopped: `disk`, which would stop with it, is essential; shut the system down instead"
        );
        assert_eq!((disk.state(), store.state()), (ModuleState::Running, ModuleState::Running));
        assert_eq!(system.failure(), None);
        let report = system.shutdown().await;
        assert_eq!((report.failure, report.modules.len()), (None, 2));
        assert_eq!(system.failed().await, None, "it was shut down, and has not failed");
    });
}

#[test]
fn the_failure_of_an_essential_module_is_that_of_the_system() {
    on_every_runtime(|| async {
        for how in ["panic", "task"] {
            let system = System::new();
            let log = Log::new();
            let (_, disk) =
                system.register_all((needing(&system, &log, "store", &["disk"]), Disk::default())).await.unwrap();
            let failed = tokio::spawn({
                let system = system.reference();
                async move { system.failed().await }
            });
            if how == "panic" {
                disk.send(Break).await.unwrap();
            } else {
                disk.send(Lose).await.unwrap();
            }
            let failure = failed.await.unwrap().expect("the system fails");
            assert_eq!(failure.to_string(), "module `disk` failed, and the system with it, which shuts down");
            if how == "panic" {
                assert_eq!(failure.failure, Failure::Panic { place: "break_down".into(), text: "no disk".into() });
            } else {
                assert!(matches!(&failure.failure, Failure::Task { task, .. } if task == "sync"), "{failure:?}");
            }
            let report = system.shutdown().await;
            assert_eq!((report.failure.as_ref(), system.failure().as_ref()), (Some(&failure), Some(&failure)));
            assert_eq!(names_of(&log, "stop"), "store", "all others are stopped in order");
        }
    });
}

#[test]
fn an_essential_module_that_ends_by_itself_or_with_its_parent_has_failed() {
    on_every_runtime(|| async {
        let system = System::new();
        let console = system.register_module(Console).await.unwrap();
        console.send(Type).await.unwrap();
        let failure = system.failed().await.expect("the system fails");
        assert_eq!((failure.module.to_string(), failure.failure), ("console".into(), Failure::Ended));
        assert_eq!(console.stopped().await.state, ModuleState::Failed);

        let system = System::new();
        let parent = system.register_module(Puppet::default()).name("parent").await.unwrap();
        let child = act_in(|ctx| Box::pin(async { ctx.register_module(Disk::default()).await.map(drop) }));
        parent.ask(child).await.unwrap().unwrap();
        assert!(matches!(parent.stop().await, Err(StopError::Essential { ref essential, .. }) if essential == "disk"));
        parent.send(dms_tests::Boom("bad luck")).await.unwrap();
        let failure = system.failed().await.expect("the system fails");
        assert_eq!((failure.module.to_string(), failure.failure), ("disk".into(), Failure::Ended));
        system.shutdown().await;
    });
}

#[test]
fn what_fails_while_the_system_shuts_down_is_in_its_report() {
    on_every_runtime(|| async {
        let system = System::new();
        system.register_module(Disk { fails_stop: true, ..Disk::default() }).await.unwrap();
        let failure = system.shutdown().await.failure.expect("it fails");
        assert_eq!(failure.failure, Failure::Hook { hook: "stop", text: "still dirty".into() });
    });
}

/// What never ran the system has not come to need.
#[test]
fn an_essential_module_whose_registration_fails_fails_no_system() {
    on_every_runtime(|| async {
        let system = System::new();
        let error = system.register_module(Disk { fails_init: true, ..Disk::default() }).await.unwrap_err();
        assert!(matches!(error, RegisterError::Hook { .. }), "{error}");
        // It ran already when another one of the set failed.
        let broken = Puppet::default().on_start(|_| Box::pin(async { Err("no".into()) }));
        system.register_all((Disk::default(), broken)).await.unwrap_err();
        // Nor is a pool's member kept when the pool fails.
        let error = system.register_pool(2, |_| Disk::default()).name("disk").await.map(drop);
        assert!(error.is_ok(), "{error:?}");
        assert_eq!(system.failure(), None);
        let mut number = 0;
        let failing = system.register_pool(2, move |_| {
            number += 1;
            Disk { fails_init: number == 2, ..Disk::default() }
        });
        failing.name("second").await.unwrap_err();
        // Dropped before it was taken.
        let (holding, mut held) = hold();
        let disk = Disk { waits: Some(Box::pin(holding)), ..Disk::default() };
        let registering = tokio::spawn(system.register_module(disk).name("given up").into_future());
        held.begun().await;
        registering.abort();
        assert!(registering.await.unwrap_err().is_cancelled());
        held.release();
        eventually("nothing is left of it", || system.get::<Disk>("given up").is_err()).await;
        assert_eq!(system.failure(), None);
        assert_eq!(system.modules().len(), 2);
        assert_eq!(system.shutdown().await.failure, None);
    });
}

#[test]
fn an_essential_module_that_never_came_about_fails_no_system() {
    on_every_runtime(|| async {
        let system = System::new();
        let error = system.register_with::<Disk>(|_| panic!("not built")).await.unwrap_err();
        assert!(matches!(error, RegisterError::Panicked { place: "new", .. }), "{error}");
        // Its place was there, and the one before it in the set was not built.
        let broken = system.register_with::<Puppet>(|_| panic!("not built"));
        system.register_all((broken, Disk::default())).await.unwrap_err();
        assert_eq!(system.failure(), None);
        system.register_module(Disk::default()).await.expect("the system goes on, and the name is free");
        system.shutdown().await;
    });
}

#[test]
fn what_fails_to_start_takes_its_essential_children_with_it_and_fails_no_system() {
    on_every_runtime(|| async {
        let system = System::new();
        let parent = || {
            let parent = Puppet::default().on_init(|ctx| {
                Box::pin(async {
                    ctx.register_module(Disk::default()).await?;
                    Ok(())
                })
            });
            parent.on_start(|_| Box::pin(async { Err("no".into()) }))
        };
        system.register_module(parent()).await.unwrap_err();
        system.register_all((parent(), Puppet::default())).await.unwrap_err();
        assert!(system.modules().is_empty());
        assert_eq!(system.failure(), None);
        assert_eq!(system.shutdown().await.failure, None);
    });
}

#[test]
fn a_parent_that_is_drained_gets_no_essential_child_any_more() {
    on_every_runtime(|| async {
        let system = System::new();
        let parent = system.register_module(Puppet::default()).await.unwrap();
        let held = held(&parent).await;
        let (log, errors) = (Log::new(), Log::new());
        let children = {
            let (log, errors) = (log.clone(), errors.clone());
            act_in(move |ctx| {
                Box::pin(async move {
                    errors.push(ctx.register_module(Disk::default()).await.unwrap_err());
                    ctx.register_module(noted(&log, "other")).await.unwrap();
                })
            })
        };
        parent.send(children).await.unwrap();
        let mut drain = std::pin::pin!(parent.drain());
        assert!(futures::poll!(drain.as_mut()).is_pending());
        held.release();
        drain.await.unwrap();
        assert!(matches!(errors.take()[..], [RegisterError::ShuttingDown { .. }]));
        assert_eq!(names_of(&log, "stop"), "other");
        assert_eq!(system.failure(), None);
        system.shutdown().await;
    });
}

/// Its own registration came to its end.
#[test]
fn an_essential_module_that_ends_with_a_set_that_is_taken_back_has_failed() {
    on_every_runtime(|| async {
        let system = System::new();
        let (holding, mut in_start) = hold();
        let last = Puppet::default().on_start(|_| {
            Box::pin(async {
                holding.await;
                Err("no".into())
            })
        });
        let set = (system.register_module(Puppet::default()).name("first"), last);
        let registering = tokio::spawn(system.register_all(set));
        in_start.begun().await;
        system.register_module(Disk::default()).depends_on("first").await.unwrap();
        in_start.release();
        registering.await.unwrap().unwrap_err();
        let failure = system.failed().await.expect("the system fails");
        assert_eq!((failure.module.to_string(), failure.failure), ("disk".into(), Failure::Ended));
        system.shutdown().await;
    });
}

#[test]
fn a_system_that_is_gone_has_not_failed() {
    on_paused(|| async {
        let system = System::new();
        system.register_module(Disk::default()).await.unwrap();
        let reference = system.reference();
        let waiting = tokio::spawn({
            let reference = reference.clone();
            async move { reference.failed().await }
        });
        tokio::task::yield_now().await;
        drop(system);
        assert_eq!(waiting.await.unwrap(), None);
        assert_eq!((reference.failed().await, reference.failure()), (None, None));
    });
}
