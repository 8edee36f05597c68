//! What a module depends on: how it is found, what is said where it is not, and how the module reaches it.

use dms::prelude::*;
use dms::{DependencyCandidate, DependencyError, ModuleState, RegisterError, Version};
use dms_tests::{
    Boom, Flavor, Log, Note, Puppet, act, act_in, events_of, eventually, heard_by, held, hold, names_of, needing,
    noted, on_every_runtime, on_paused, puppet,
};

/// Keeps things.
#[module(name = "store", version = "1.2.0", provides("storage"))]
#[derive(Default)]
struct Store {
    prices: u64,
}

#[module]
impl Store {
    #[handler(Price)]
    fn price(&self) -> u64 {
        self.prices
    }
}

/// Any number of these.
#[module(version = "2.0.0", provides("storage", "memory"))]
struct Shelf;

#[module]
impl Shelf {
    #[handler(Place)]
    fn place(&self) -> u64 {
        1
    }
}

#[module(name = "cache", version = "0.3.1", depends("store >= 1"))]
struct Cache;

#[module]
impl Cache {}

/// Asks in each of its hooks.
#[module(name = "shop", depends("store >= 1.1", "memory", optional("metrics")))]
#[derive(Default)]
struct Shop {
    seen: Log<u64>,
}

#[module]
impl Shop {
    #[init]
    async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        self.seen.push(ctx.dependency::<Store>()?.price().await?);
        self.seen.push(ctx.dependency::<Shelf>()?.place().await?);
        Ok(())
    }

    #[start]
    async fn start(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        self.seen.push(ctx.dependency_named::<Store>("store")?.price().await? + 1);
        Ok(())
    }

    #[handler(Look)]
    async fn look(&mut self, ctx: &mut Context<Self>) -> Result<u64, DependencyError> {
        Ok(ctx.dependency_named::<Shelf>("memory")?.place().await.unwrap())
    }

    #[handler(Errors)]
    fn errors(&mut self, ctx: &mut Context<Self>) -> Vec<String> {
        [
            ctx.dependency::<Puppet>().unwrap_err(),
            ctx.dependency_named::<Store>("storage").unwrap_err(),
            ctx.dependency_named::<Shelf>("store").unwrap_err(),
            ctx.dependency_named::<Store>("metrics").unwrap_err(),
        ]
        .iter()
        .map(ToString::to_string)
        .collect()
    }

    #[stop]
    async fn stop(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        self.seen.push(ctx.dependency::<Store>()?.price().await? + 2);
        Ok(())
    }
}

#[test]
fn a_module_reaches_its_dependencies_in_every_hook_and_handler() {
    on_every_runtime(|| async {
        let system = System::new();
        let shop = Shop::default();
        let seen = shop.seen.clone();
        let (shop, _, store) = system.register_all((shop, Shelf, Store { prices: 7 })).await.unwrap();
        assert_eq!(shop.look().await.unwrap(), Ok(1));
        assert_eq!(store.price().await, Ok(7));
        let report = system.shutdown().await;
        assert!(report.modules.iter().all(|module| module.failure.is_none()), "{report:?}");
        assert_eq!(seen.all(), [7, 1, 8, 9], "stop hooks are answered too: what it depends on outlives it");
    });
}

#[test]
fn a_dependency_that_cannot_be_given_says_why() {
    on_paused(|| async {
        let system = System::new();
        let (shop, shelf, _) = system.register_all((Shop::default(), Shelf, Store::default())).await.unwrap();
        assert_eq!(
            shop.errors().await.unwrap(),
            [
                "no dependency of module `shop` is a `Puppet`; it declares: `store` (a `Store`), `memory` (a `Shelf`), `metrics` (optional, absent)",
                "module `shop` declares no dependency `storage`; it declares: `store`, `memory`, `metrics`: write `#[module(depends(\"storage\"))]`",
                "dependency `store` of module `shop` is a `Store`, not a `Shelf`",
                "optional dependency `metrics` of module `shop` was not there when the module was registered",
            ]
        );
        // A module that fails takes nobody with it, and asks nobody whether it may.
        let plain = system.register_module(Puppet::default()).await.unwrap();
        let none = plain.ask(act_in(|ctx| Box::pin(async { ctx.dependency::<Shelf>().unwrap_err() }))).await.unwrap();
        assert!(matches!(none, DependencyError::NotOfType { ref declared, .. } if declared.is_empty()), "{none}");
        let doomed = system.register_module(Puppet::default()).name("doomed").await.unwrap();
        let needy = system.register_module(Puppet::default()).name("needy").depends_on("doomed").await.unwrap();
        doomed.send(Boom("bad luck")).await.unwrap();
        doomed.stopped().await;
        let error = needy.ask(act_in(|ctx| Box::pin(async { ctx.dependency::<Puppet>().unwrap_err() }))).await.unwrap();
        assert_eq!(error.to_string(), "dependency `doomed` of module `needy` has ended");
        drop(shelf);
        system.shutdown().await;
    });
}

#[test]
fn a_missing_dependency_is_an_error_that_names_the_path_and_initialises_nothing() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        system.register_module(Puppet::default()).name("here").provides("there").await.unwrap();
        let app = needing(&system, &log, "app", &["middle"]);
        let middle = needing(&system, &log, "middle", &["here", "cache >= 1.3"]);
        let error = system.register_all((middle, app)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "`app -> middle -> cache >= 1.3` is not there: no module is named `cache` or provides it; there are: app, here, there; register it first, or in the same set"
        );
        let RegisterError::DependencyMissing { path, dependency, .. } = error else { panic!("{error:?}") };
        assert_eq!((path, &*dependency), (vec!["app".to_owned(), "middle".to_owned()], "cache"));
        assert_eq!(system.modules().len(), 1);
        let mut dropped = log.take();
        dropped.sort();
        assert_eq!(dropped, ["drop app", "drop middle"], "no hook ran");
        // One alone, by its type and by its builder.
        let error = system.register_module(Cache).await.unwrap_err();
        assert!(
            error.to_string().starts_with("`cache -> store >= 1` is not there: no module is named `store`"),
            "{error}"
        );
        let error = needing(&system, &log, "alone", &["nobody"]).await.unwrap_err();
        assert!(matches!(error, RegisterError::DependencyMissing { .. }), "{error}");
        assert_eq!(log.take(), ["drop alone"]);
        assert_eq!(
            System::new().register_module(Cache).await.unwrap_err().to_string().split("; ").nth(1),
            Some("there is nothing else"),
            "not itself"
        );
        system.shutdown().await;
    });
}

#[test]
fn an_incompatible_version_is_an_error_that_says_what_was_found_and_where() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let storage = needing(&system, &log, "app", &["storage ^3"]);
        let error = system.register_all((storage, Store::default(), Shelf)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "`app -> storage ^3` is not there: found `store` 1.2.0 (of this set), `Shelf` 2.0.0 (of this set)"
        );
        system.register_module(Store::default()).await.unwrap();
        let error = needing(&system, &log, "app", &["store ~1.1"]).await.unwrap_err();
        let RegisterError::DependencyIncompatible { found, .. } = &error else { panic!("{error:?}") };
        let DependencyCandidate { module, version, state, .. } = &found[0];
        assert_eq!(
            (&**module, *version, *state),
            ("store", Version { major: 1, minor: 2, patch: 0 }, Some(ModuleState::Running))
        );
        assert!(error.to_string().ends_with("found `store` 1.2.0 (running)"), "{error}");
        assert_eq!(names_of(&log, "init"), "");
        system.shutdown().await;
    });
}

#[test]
fn a_module_that_starts_or_stops_is_no_dependency_yet_or_any_more() {
    on_every_runtime(|| async {
        let system = System::new();
        let (holding, mut in_init) = hold();
        let slow = Puppet::default().on_init(|_| {
            Box::pin(async {
                holding.await;
                Ok(())
            })
        });
        let slow = tokio::spawn(system.register_module(slow).name("slow").into_future());
        in_init.begun().await;
        let needy = || system.register_module(Puppet::default()).name("needy").depends_on("slow");
        let error = needy().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "`needy -> slow` does not run: found `slow` 0.0.0 (init); register what depends on it once it runs, or both in one set"
        );
        in_init.release();
        let slow = slow.await.unwrap().unwrap();
        let held = held(&slow).await;
        let mut stop = std::pin::pin!(slow.stop());
        assert!(futures::poll!(stop.as_mut()).is_pending());
        let error = needy().await.unwrap_err();
        assert!(matches!(error, RegisterError::DependencyNotRunning { .. }), "{error}");
        held.release();
        stop.await.unwrap();
        assert!(matches!(needy().await, Err(RegisterError::DependencyMissing { .. })));
        system.shutdown().await;
    });
}

#[test]
fn a_child_may_depend_on_its_parent_whatever_that_does() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let parent = noted(&log, "parent").on_start(|ctx| {
            Box::pin(async move {
                ctx.register_module(Puppet::default()).name("child").depends_on("parent").await?;
                Ok(())
            })
        });
        let parent = system.register_module(parent).name("parent").await.unwrap();
        let child = system.get::<Puppet>("child").unwrap();
        let found = child.ask(act_in(|ctx| Box::pin(async { ctx.dependency::<Puppet>() }))).await.unwrap();
        assert_eq!(found.as_ref(), Ok(&parent));
        parent.stop().await.expect("its child is no hindrance: it ends with it");
        assert!(child.state().is_ended());
        system.shutdown().await;
    });
}

#[test]
fn a_dependency_is_the_module_of_the_name_else_the_oldest_that_provides_it() {
    on_paused(|| async {
        let system = System::new();
        let dependency = |name: &'static str| {
            let user = system.register_module(Puppet::default()).depends_on(name);
            async move {
                let user = user.await.unwrap();
                let bound =
                    act_in(move |ctx| Box::pin(async move { ctx.dependency_named::<Puppet>(name).unwrap().name() }));
                user.ask(bound).await.unwrap()
            }
        };
        let provider = |name: &str| system.register_module(Puppet::default()).name(name).provides("log");
        provider("first").await.unwrap();
        provider("second").await.unwrap();
        assert_eq!(dependency("log").await, "first");
        assert_eq!(system.providers("log").len(), 2, "what is provided at run time is found as what a type provides");
        assert!(system.find_provider::<Puppet>("log").is_ok());
        system.register_module(Puppet::default()).name("log").await.unwrap();
        assert_eq!(dependency("log").await, "log");
        // Who provides what it depends on means that of another.
        let front = system.register_module(Puppet::default()).name("front").provides("storage").depends_on("storage");
        let (store, front) = system.register_all((Store::default(), front)).await.unwrap();
        let behind = front.ask(act_in(|ctx| Box::pin(async { ctx.dependency::<Store>() }))).await.unwrap();
        assert_eq!(behind, Ok(store));
        system.shutdown().await;
        assert!(system.providers("log").is_empty());
    });
}

#[test]
fn an_optional_dependency_comes_first_if_it_is_there_and_is_not_missed_if_not() {
    on_paused(|| async {
        let log = Log::new();
        let user =
            |system: &System, dependency: &str| needing(system, &log, "user", &[]).optionally_depends_on(dependency);
        let system = System::new();
        let (_, other) =
            system.register_all((user(&system, "other"), needing(&system, &log, "other", &[]))).await.unwrap();
        assert_eq!(names_of(&log, "init"), "other user");
        assert!(other.stop().await.is_err(), "it is depended on as others are");
        system.shutdown().await;
        assert_eq!(names_of(&log, "stop"), "user other");
        assert_eq!(names_of(&log, "drop"), "user other");
        let log = Log::new();
        let user =
            |system: &System, dependency: &str| needing(system, &log, "user", &[]).optionally_depends_on(dependency);

        let system = System::new();
        let user_module = user(&system, "other").await.unwrap();
        // Too late: it remains absent, and a shutdown stops it as any younger module.
        needing(&system, &log, "other", &[]).await.unwrap();
        let absent =
            user_module.ask(act_in(|ctx| Box::pin(async { ctx.dependency_named::<Puppet>("other").unwrap_err() })));
        assert!(matches!(absent.await.unwrap(), DependencyError::Absent { .. }));
        assert_eq!(system.shutdown().await.modules.len(), 2);
        assert_eq!(names_of(&log, "stop"), "other user");
    });
}

#[test]
fn an_optional_dependency_of_another_version_counts_as_absent_and_is_logged() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let system = System::new();
            let user = system.register_module(Puppet::default()).name("user").optionally_depends_on("store >= 2");
            let (user, store) = system.register_all((user, Store::default())).await.unwrap();
            assert!(user.id() < store.id(), "it does not order them either");
            let absent =
                user.ask(act_in(|ctx| Box::pin(async { ctx.dependency_named::<Store>("store >= 2").is_err() })));
            assert!(absent.await.unwrap());
            store.stop().await.unwrap();
            system.shutdown().await;
        });
    });
    let warnings: Vec<_> = events.iter().filter(|event| event.text.contains("optional dependency")).collect();
    assert_eq!(warnings.len(), 1, "{events:?}");
    assert!(warnings[0].text.contains("`store` 1.2.0 (of this set)"), "{}", warnings[0].text);
}

#[test]
fn a_dependency_that_cannot_be_read_fails_the_registration() {
    on_paused(|| async {
        let system = System::new();
        let error =
            system.register_module(Puppet::default()).name("user").depends_on("store latest").await.unwrap_err();
        assert!(
            matches!(&error, RegisterError::Requirement { module, requirement, .. } if module == "user" && requirement == "store latest")
        );
        assert!(error.to_string().ends_with("as in `cache >= 1.3`"), "{error}");
        assert!(system.modules().is_empty());
    });
}

/// Whoever registers and whoever stops at the same time: nobody ends up with a dependency that was told to stop before.
#[test]
fn a_module_that_is_being_stopped_gets_no_new_dependents() {
    Flavor::MultiThread.run(|| async {
        for _ in 0..200 {
            let system = System::new();
            let store = system.register_module(Puppet::default()).name("store").await.unwrap();
            let user =
                tokio::spawn(system.register_module(Puppet::default()).name("user").depends_on("store").into_future());
            let stop = store.stop().await;
            let user = user.await.unwrap();
            assert_ne!(stop.is_ok(), user.is_ok(), "{stop:?} {user:?}");
            assert_eq!(store.state().is_ended(), user.is_err());
            system.shutdown().await;
        }
    });
}

#[test]
fn a_registration_that_is_dropped_takes_with_it_what_depends_on_the_module() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        {
            let mut registering = std::pin::pin!(needing(&system, &log, "store", &[]).into_future());
            assert!(futures::poll!(registering.as_mut()).is_pending());
            eventually("it runs", || names_of(&log, "start") == "store").await;
            needing(&system, &log, "shop", &["store"]).await.unwrap();
        }
        eventually("both have gone", || system.modules().is_empty()).await;
        assert_eq!(names_of(&log, "stop"), "shop store");
        system.shutdown().await;
    });
}

#[test]
fn an_optional_dependency_that_only_the_module_itself_provides_is_absent() {
    on_paused(|| async {
        let system = System::new();
        let module = || system.register_module(Puppet::default()).provides("metrics").optionally_depends_on("metrics");
        let first = module().await.unwrap();
        let dependency = || act_in(|ctx| Box::pin(async { ctx.dependency_named::<Puppet>("metrics") }));
        assert!(matches!(first.ask(dependency()).await.unwrap(), Err(DependencyError::Absent { .. })));
        let second = module().await.unwrap();
        assert_eq!(second.ask(dependency()).await.unwrap().unwrap().id(), first.id(), "it means that of another");
        system.shutdown().await;
    });
}

/// No lock is held while something is logged.
#[test]
fn who_hears_of_an_optional_dependency_that_will_not_do_may_look_at_the_system() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        needing(&system, &log, "metrics", &[]).await.unwrap();
        let (reference, seen) = (system.reference(), Log::new());
        let counts = seen.clone();
        let mut registering =
            std::pin::pin!(system.register_module(Shelf).optionally_depends_on("metrics >= 99").into_future());
        let registered = heard_by(
            move |_| counts.push(reference.modules().len()),
            || {
                let mut nowhere = std::task::Context::from_waker(std::task::Waker::noop());
                registering.as_mut().poll(&mut nowhere).is_ready()
            },
        );
        assert!(registered);
        assert_eq!(seen.all(), [2]);
        system.shutdown().await;
    });
}

#[test]
fn a_module_without_dependencies_is_registered_as_ever() {
    on_paused(|| async {
        let log = Log::new();
        let system = System::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        module.ask(Note(1)).await.unwrap();
        module.ask(act(async {})).await.unwrap();
        eventually("it runs", || module.state() == ModuleState::Running).await;
        system.shutdown().await;
        assert_eq!(log.all(), [1]);
    });
}
