//! Modules that are registered together: the order of their hooks, and what is left where one of them fails.

use std::time::Duration;

use dms::prelude::*;
use dms::{AskError, ModuleState, RegisterError};
use dms_tests::{
    Boom, Log, Note, Puppet, act, act_in, eventually, hold, names_of, needing, noted, on_every_runtime, on_paused,
    puppet, settle,
};

/// The hooks in the order in which they were noted, each with the names that had it.
fn hooks(log: &Log<String>) -> Vec<String> {
    ["init", "start", "stop", "drop"].iter().map(|hook| format!("{hook} {}", names_of(log, hook))).collect()
}

#[test]
fn a_set_starts_in_the_order_of_its_dependencies_and_ends_in_reverse() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = |name: &str, dependencies: &[&str]| needing(&system, &log, name, dependencies);
        let (c, b, a) =
            system.register_all((module("c", &["b"]), module("b", &["a"]), module("a", &[]))).await.unwrap();
        assert_eq!([c.name(), b.name(), a.name()], ["c", "b", "a"]);
        assert!([&a, &b, &c].iter().all(|module| module.state() == ModuleState::Running));
        assert!(a.id() < b.id() && b.id() < c.id());
        assert_eq!(log.all(), ["init a", "init b", "init c", "start a", "start b", "start c"]);
        system.shutdown().await;
        assert_eq!(hooks(&log), ["init a b c", "start a b c", "stop c b a", "drop c b a"]);
    });
}

#[test]
fn a_diamond_starts_from_its_foot_and_ends_from_its_top() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = |name: &str, dependencies: &[&str]| needing(&system, &log, name, dependencies);
        let right = module("right", &["foot"]);
        let left = module("left", &["foot"]);
        system.register_all(vec![module("top", &["left", "right"]), right, left, module("foot", &[])]).await.unwrap();
        system.shutdown().await;
        assert_eq!(
            hooks(&log),
            [
                "init foot right left top",
                "start foot right left top",
                "stop top left right foot",
                "drop top left right foot"
            ],
            "among equals the one that was given first"
        );
    });
}

#[test]
fn an_array_of_modules_becomes_an_array_of_references() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let module = |name: &str, dependencies: &[&str]| needing(&system, &log, name, dependencies);
        let [b, a] = system.register_all([module("b", &["a"]), module("a", &[])]).await.unwrap();
        assert_eq!([b.name(), a.name()], ["b", "a"]);
        assert_eq!(names_of(&log, "start"), "a b");
        system.shutdown().await;
    });
}

#[test]
fn what_depends_on_nothing_keeps_its_order() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let module = |name: &str, dependencies: &[&str]| needing(&system, &log, name, dependencies);
        let nested = ((module("1", &[]), module("2", &["4"])), vec![module("3", &[]), module("4", &[])]);
        let ((one, two), rest) = system.register_all(nested).await.unwrap();
        assert_eq!([one.name(), two.name(), rest[0].name(), rest[1].name()], ["1", "2", "3", "4"]);
        assert_eq!(names_of(&log, "init"), "1 3 4 2");
        let none: Vec<ModuleRef<Puppet>> = system.register_all(Vec::<Puppet>::new()).await.unwrap();
        assert!(none.is_empty());
        // Modules as they are, without a builder.
        let (a, b) = system.register_all((Puppet::default(), puppet(&Log::new()))).await.unwrap();
        assert_eq!(b.ask(Note(a.ask(Note(7)).await.unwrap())).await, Ok(7));
        system.shutdown().await;
    });
}

#[test]
fn a_circle_initialises_nothing_and_is_named() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = |name: &str, dependencies: &[&str]| needing(&system, &log, name, dependencies);
        let set = (
            module("free", &[]),
            module("user", &["a"]),
            module("a", &["b"]),
            module("b", &["c", "free"]),
            module("c", &["a"]),
        );
        let error = system.register_all(set).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "these modules depend on each other in a circle: a -> b -> c -> a; take one of these dependencies away"
        );
        let alone = module("alone", &["alone"]).await.unwrap_err();
        assert_eq!(
            alone.to_string(),
            "these modules depend on each other in a circle: alone -> alone; take one of these dependencies away"
        );
        assert_eq!(&hooks(&log)[..3], ["init ", "start ", "stop "]);
        assert_eq!(log.len(), 6, "all of them were dropped");
        assert!(system.modules().is_empty());
        module("a", &[]).await.expect("the names are free");
        system.shutdown().await;
    });
}

#[test]
fn names_that_are_taken_fail_the_whole_set() {
    on_paused(|| async {
        let (system, other) = (System::new(), System::new());
        let log = Log::new();
        needing(&system, &log, "taken", &[]).await.unwrap();
        let module = |name: &str| needing(&system, &log, name, &[]);
        let error = system.register_all((module("new"), module("taken"))).await.unwrap_err();
        assert!(matches!(&error, RegisterError::NameTaken { name } if name == "taken"), "{error}");
        let error = system.register_all((module("new"), module("new"))).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "two modules of the set are named `new`: give one of them another name with `.name(\"…\")`"
        );
        let error = system.register_all((module("new"), needing(&other, &log, "lost", &[]))).await.unwrap_err();
        assert!(matches!(&error, RegisterError::OtherSystem { module } if module == "lost"), "{error}");
        assert_eq!(names_of(&log, "init"), "taken");
        assert_eq!(system.modules().len(), 1);
        system.shutdown().await;
        assert!(matches!(system.register_all((module("late"),)).await, Err(RegisterError::ShuttingDown { .. })));
    });
    let system = System::new();
    let mut registering = system.register_all((Puppet::default(),));
    let mut nowhere = std::task::Context::from_waker(std::task::Waker::noop());
    let registered = std::pin::Pin::new(&mut registering).poll(&mut nowhere);
    assert!(matches!(registered, std::task::Poll::Ready(Err(RegisterError::NoRuntime { .. }))), "{registered:?}");
}

/// The set `third` <- `second` <- `first`, whose second does this in a hook.
async fn fails(log: &Log<String>, spoil: impl FnOnce(Puppet) -> Puppet) -> RegisterError {
    let system = System::new();
    let second = system.register_module(spoil(noted(log, "second"))).name("second").depends_on("first");
    let set = (needing(&system, log, "third", &["second"]), second, needing(&system, log, "first", &[]));
    let error = system.register_all(set).await.unwrap_err();
    assert!(system.modules().is_empty(), "nothing of it is left when the error comes");
    assert_eq!(names_of(log, "drop").split(' ').count(), 3);
    needing(&system, &Log::new(), "second", &[]).await.expect("the names are free");
    assert_eq!(system.shutdown().await.modules.len(), 1);
    error
}

#[test]
fn where_the_second_init_fails_the_first_is_stopped_once_and_the_third_is_never_initialised() {
    on_every_runtime(|| async {
        let log = Log::new();
        let error =
            fails(&log, |second| second.on_init(|_| Box::pin(async { Err(std::io::Error::other("no disk").into()) })));
        let error = error.await;
        assert_eq!(error.to_string(), "`init` of module `second` failed");
        let RegisterError::Hook { source, .. } = error else { panic!("{error:?}") };
        assert_eq!(source.to_string(), "no disk", "it carries the cause");
        assert_eq!(hooks(&log)[..3], ["init first", "start ", "stop first"], "`stop` gives back what `init` took");

        let log = Log::new();
        let error = fails(&log, |second| second.on_init(|_| Box::pin(async { panic!("bad luck") }))).await;
        assert!(
            matches!(&error, RegisterError::Panicked { module, place: "init", text } if module == "second" && text == "bad luck")
        );
        assert_eq!(hooks(&log)[..3], ["init first", "start ", "stop first"]);
    });
}

#[test]
fn where_the_second_start_fails_all_that_were_initialised_are_stopped_once_in_reverse_order() {
    on_every_runtime(|| async {
        let log = Log::new();
        let fail = |second: Puppet| second.on_start(|_| Box::pin(async { Err("no luck".into()) }));
        let error = fails(&log, fail).await;
        assert!(matches!(&error, RegisterError::Hook { module, hook: "start", .. } if module == "second"), "{error}");
        // The second stops where it failed, as it does alone.
        assert_eq!(
            hooks(&log),
            ["init first second third", "start first", "stop second third first", "drop second third first"]
        );

        let log = Log::new();
        let error = fails(&log, |second| second.on_start(|_| Box::pin(async { panic!("bad luck") }))).await;
        assert!(matches!(&error, RegisterError::Panicked { place: "start", .. }), "{error}");
        assert_eq!(hooks(&log)[..3], ["init first second third", "start first", "stop third first"]);
    });
}

#[test]
fn where_a_constructor_panics_nothing_is_initialised() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let broken = system.register_with::<Puppet>(|_| panic!("not built")).name("broken");
        let set = (needing(&system, &log, "user", &["broken"]), broken, needing(&system, &log, "first", &[]));
        let error = system.register_all(set).await.unwrap_err();
        assert!(
            matches!(&error, RegisterError::Panicked { module, place: "new", .. } if module == "broken"),
            "{error}"
        );
        let mut left = log.take();
        left.sort();
        assert_eq!(left, ["drop first", "drop user"]);
        assert!(system.modules().is_empty());
    });
}

#[test]
fn a_module_is_asked_from_the_end_of_its_own_init() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let server = puppet(&log).on_start({
            let log = log.clone();
            move |_| {
                Box::pin(async move {
                    log.push(100);
                    Ok(())
                })
            }
        });
        let client = Puppet::default().on_init(|ctx| {
            Box::pin(async move {
                let server = ctx.dependency::<Puppet>()?;
                assert_eq!(server.state(), ModuleState::Init);
                server.ask(Note(1)).await?;
                server.send(Note(2)).await?;
                Ok(())
            })
        });
        let client = system.register_module(client).depends_on("server");
        let (_, server) = system.register_all((client, system.register_module(server).name("server"))).await.unwrap();
        server.ask(Note(3)).await.unwrap();
        let mut seen = log.all();
        // What nobody waits for may come before or after `start`.
        seen.retain(|entry| *entry != 2);
        assert_eq!(seen, [1, 100, 3]);
        assert_eq!(log.len(), 4);
        system.shutdown().await;
    });
}

#[test]
fn a_handler_that_panics_before_the_start_fails_the_set() {
    on_every_runtime(|| async {
        let log = Log::new();
        let system = System::new();
        let client = noted(&log, "client").on_init(|ctx| {
            Box::pin(async move {
                let error = ctx.dependency::<Puppet>()?.ask(Boom("bad luck")).await.unwrap_err();
                assert!(matches!(error, AskError::Panicked { .. }), "{error}");
                Ok(())
            })
        });
        let client = system.register_module(client).name("client").depends_on("server");
        let error = system.register_all((client, needing(&system, &log, "server", &[]))).await.unwrap_err();
        assert!(
            matches!(&error, RegisterError::Panicked { module, text, .. } if module == "server" && text == "bad luck"),
            "{error:?}"
        );
        assert_eq!(hooks(&log)[1..3], ["start ", "stop client"], "what panicked is not trusted with its hook");
    });
}

#[test]
fn a_dropped_registration_is_taken_back_in_reverse_order() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let (holding, mut in_start) = hold();
        let second = noted(&log, "second").on_start(|_| {
            Box::pin(async {
                holding.await;
                Ok(())
            })
        });
        let second = system.register_module(second).name("second").depends_on("first");
        let set = (needing(&system, &log, "third", &["second"]), second, needing(&system, &log, "first", &[]));
        let registering = tokio::spawn(system.register_all(set));
        in_start.begun().await;
        // Somebody else has found what runs already.
        let guest = needing(&system, &log, "guest", &["first"]).await.unwrap();
        registering.abort();
        assert!(registering.await.unwrap_err().is_cancelled());
        in_start.release();
        eventually("all has gone", || system.modules().is_empty()).await;
        assert!(guest.state().is_ended());
        assert_eq!(
            hooks(&log),
            [
                "init first second third guest",
                "start first guest",
                "stop guest third second first",
                "drop guest third second first"
            ]
        );
        // One that was never polled did nothing.
        drop(system.register_all((noted(&log, "never"),)));
        assert_eq!(log.all().last().unwrap(), "drop never");
    });
}

#[test]
fn a_shutdown_while_a_set_starts_ends_it_in_order() {
    on_every_runtime(|| async {
        for in_hook in ["init", "start"] {
            let system = System::new();
            let log = Log::new();
            let (holding, mut in_second) = hold();
            let wait: dms_tests::Act<Result<(), ModuleError>> = Box::new(|_| {
                Box::pin(async {
                    holding.await;
                    Ok(())
                })
            });
            let second = noted(&log, "second");
            let second = if in_hook == "init" { second.on_init(wait) } else { second.on_start(wait) };
            let second = system.register_module(second).name("second").depends_on("first");
            // It asks what it depends on to the last.
            let third = noted(&log, "third").on_stop(|ctx| {
                Box::pin(async {
                    ctx.dependency::<Puppet>()?.ask(Note(1)).await?;
                    Ok(())
                })
            });
            let third = system.register_module(third).name("third").depends_on("first").depends_on("second");
            let set = (third, second, needing(&system, &log, "first", &[]));
            let registering = tokio::spawn(system.register_all(set));
            in_second.begun().await;
            let down = tokio::spawn({
                let system = system.reference();
                async move { system.shutdown().await }
            });
            let first = system.get::<Puppet>("first").unwrap();
            eventually("it has begun", || first.try_send(Note(0)).is_err()).await;
            in_second.release();
            let report = down.await.unwrap();
            assert!(report.complete && report.overran.is_empty(), "{report:?}");
            assert!(report.modules.iter().all(|module| module.failure.is_none()), "{report:?}");
            assert_eq!(report.modules.len(), 3);
            let error = registering.await.unwrap().unwrap_err();
            assert!(matches!(error, RegisterError::ShuttingDown { .. }), "{error}");
            let stops = names_of(&log, "stop");
            let drops = names_of(&log, "drop");
            if in_hook == "init" {
                assert_eq!((&*stops, &*drops), ("second first", "third second first"));
            } else {
                assert_eq!(
                    (&*stops, &*drops),
                    ("second first", "third second first"),
                    "the third notes no stop of its own"
                );
            }
        }
    });
}

/// A registration that nobody polls any more holds nothing up.
#[test]
fn a_shutdown_does_not_wait_for_whoever_registers() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let (holding, mut in_init) = hold();
        let first = noted(&log, "first").on_init(|_| {
            Box::pin(async {
                holding.await;
                Ok(())
            })
        });
        let first = system.register_module(first).name("first");
        let mut registering =
            std::pin::pin!(system.register_all((first, needing(&system, &log, "second", &["first"]))));
        assert!(futures::poll!(registering.as_mut()).is_pending());
        in_init.begun().await;
        in_init.release();
        let report = tokio::time::timeout(Duration::from_secs(10), system.shutdown()).await.expect("it ends");
        assert_eq!(report.modules.len(), 2);
        assert_eq!(names_of(&log, "drop"), "second first");
        assert!(registering.await.is_err());
    });
}

#[test]
fn a_set_whose_init_asks_the_module_that_registers_it_would_deadlock() {
    on_every_runtime(|| async {
        let system = System::new();
        let parent = system.register_module(Puppet::default()).name("parent").await.unwrap();
        let above = parent.clone();
        let error = parent.ask(act_in(move |ctx| {
            Box::pin(async move {
                let child = Puppet::default().on_init(move |_| {
                    Box::pin(async move {
                        above.ask(Note(1)).await?;
                        Ok(())
                    })
                });
                ctx.register_all((child, Puppet::default())).await.unwrap_err()
            })
        }));
        let RegisterError::Hook { source, .. } = error.await.unwrap() else { panic!("the init fails") };
        assert!(matches!(source.downcast_ref(), Some(AskError::WouldDeadlock { .. })), "{source}");
        system.shutdown().await;
    });
}

#[test]
fn m5_an_init_that_asks_a_module_that_comes_later_gets_would_deadlock() {
    on_every_runtime(|| async {
        let system = System::new();
        let first = Puppet::default().on_init(|ctx| {
            Box::pin(async move {
                let last = ctx.system().get::<Puppet>("last")?;
                assert!(matches!(last.ask(Note(1)).no_timeout().await, Err(AskError::WouldDeadlock { .. })));
                Ok(())
            })
        });
        // Before its start it may be asked by the one before.
        let second = Puppet::default().on_start(|ctx| {
            Box::pin(async move {
                ctx.system().get::<Puppet>("last")?.ask(Note(2)).no_timeout().await?;
                Ok(())
            })
        });
        let log = Log::new();
        let last = system.register_module(puppet(&log)).name("last");
        system.register_all((first, second, last)).await.unwrap();
        assert_eq!(log.all(), [2]);
        system.shutdown().await;
    });
}

/// While a set, a pool or a module is taken back, whoever registered it waits for that.
#[test]
fn m5_a_stop_hook_that_asks_the_module_that_registered_it_in_vain_gets_would_deadlock() {
    on_every_runtime(|| async {
        for registers in ["a set", "a set of one", "a pool", "a module"] {
            let system = System::new();
            let parent = system.register_module(Puppet::default()).name("parent").await.unwrap();
            let (above, log) = (parent.clone(), Log::new());
            let heard = log.clone();
            let registering = parent.ask(act_in(move |ctx| {
                Box::pin(async move {
                    let asks = Puppet::default().on_stop(move |_| {
                        Box::pin(async move {
                            heard.push(above.ask(Note(1)).no_timeout().await.unwrap_err());
                            Ok(())
                        })
                    });
                    let fails = |puppet: Puppet| puppet.on_start(|_| Box::pin(async { Err("no".into()) }));
                    match registers {
                        "a set" => ctx.register_all((asks, fails(Puppet::default()))).await.map(drop),
                        "a set of one" => ctx.register_all((fails(asks),)).await.map(drop),
                        "a pool" => {
                            let mut members = vec![fails(Puppet::default()), asks];
                            ctx.register_pool(2, move |_| members.pop().unwrap()).await.map(drop)
                        }
                        _ => ctx.register_module(fails(asks)).await.map(drop),
                    }
                })
            }));
            let error = registering.no_timeout().await.unwrap().unwrap_err();
            assert!(matches!(error, RegisterError::Hook { hook: "start", .. }), "{registers}: {error}");
            assert!(matches!(log.take()[..], [AskError::WouldDeadlock { .. }]), "{registers}");
            system.shutdown().await;
        }
    });
}

/// It has no `init` of its own.
#[module]
struct Lamp(Log<String>);

#[module]
impl Lamp {
    #[stop]
    fn stop(&mut self) {
        self.0.push("stop lamp".to_owned());
    }
}

#[test]
fn a_module_that_never_had_its_turn_is_not_stopped() {
    on_paused(|| async {
        for has_begun in [false, true] {
            let system = System::new();
            let log = Log::new();
            let (holding, held) = hold();
            let first = noted(&log, "first").on_init(|_| {
                Box::pin(async {
                    holding.await;
                    Ok(())
                })
            });
            let mut registering = std::pin::pin!(system.register_all((first, Lamp(log.clone()))));
            assert!(futures::poll!(registering.as_mut()).is_pending());
            if has_begun {
                settle().await;
            }
            let mut down = std::pin::pin!(system.shutdown());
            assert!(futures::poll!(down.as_mut()).is_pending());
            held.release();
            down.await;
            assert!(!log.all().contains(&"stop lamp".to_owned()), "{:?}", log.all());
        }
    });
}

#[test]
fn the_modules_of_a_set_may_be_children() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let parent = system.register_module(noted(&log, "parent")).name("parent").await.unwrap();
        let names = log.clone();
        parent
            .ask(act_in(move |ctx| {
                Box::pin(async move {
                    let b = needing(&ctx.system(), &names, "b", &["a"]);
                    ctx.register_all((b, ctx.register_module(noted(&names, "a")).name("a"))).await.unwrap();
                })
            }))
            .await
            .unwrap();
        assert!(system.modules().iter().skip(1).all(|module| module.parent == Some(parent.id())));
        parent.stop().await.unwrap();
        assert_eq!(hooks(&log), ["init parent a b", "start parent a b", "stop b a parent", "drop b a parent"]);
        assert_eq!(system.modules().len(), 0);
        parent.ask(act(async {})).await.unwrap_err();
    });
}

#[test]
fn a_member_that_fails_before_its_turn_to_start_does_not_start_and_fails_the_set_with_its_failure() {
    on_paused(|| async {
        let (system, log) = (System::new(), Log::new());
        let (own, others) = (log.clone(), log.clone());
        let fails = move |_| {
            let log = own.clone();
            let fails =
                |ctx: &mut Context<Puppet>| drop(ctx.spawn("line", async { Err::<(), _>(ModuleError::from("cut")) }));
            noted(&log, "first").on_init(move |ctx| {
                fails(ctx);
                Box::pin(async { Ok(()) })
            })
        };
        // What comes second takes its time, so that the first one waits for its turn to start.
        let second = noted(&others, "second").on_init(|_| {
            Box::pin(async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(())
            })
        });
        let restart = dms::recovery::Restart::on_failure();
        let first = system.register_with(fails).name("first").restart(restart);
        let second = system.register_module(second).name("second").depends_on("first");
        let error = system.register_all((first, second)).await.unwrap_err();
        let RegisterError::Hook { module, source, .. } = &error else { panic!("{error:?}") };
        assert_eq!(module, "first");
        assert!(source.to_string().contains("line"), "{source}");
        assert_eq!(names_of(&log, "start"), "");
        assert!(system.modules().is_empty());
        system.shutdown().await;
    });
}
