//! Ending a module on which others depend: refused, or all of them in reverse order.

use dms::prelude::*;
use dms::{ModuleState, StopError};
use dms_tests::{
    Log, Note, Puppet, act_in, eventually, held, names_of, needing, noted, on_every_runtime, on_paused, puppet,
};

/// `app` -> `left`, `right` -> `store`.
async fn diamond(system: &System, log: &Log<String>) -> ModuleRef<Puppet> {
    let module = |name: &str, dependencies: &[&str]| needing(system, log, name, dependencies);
    let set = (
        module("app", &["left", "right"]),
        module("left", &["store"]),
        module("right", &["store"]),
        module("store", &[]),
    );
    system.register_all(set).await.unwrap().3
}

#[test]
fn a_stop_or_drain_is_refused_while_others_depend_on_the_module() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let store = diamond(&system, &log).await;
        let refused = StopError::Dependents { module: "store".into(), dependents: vec!["left".into(), "right".into()] };
        assert_eq!(
            refused.to_string(),
            "module `store` was not stopped: `left`, `right` depend on it; stop them first, or all of them with `.with_dependents()`"
        );
        assert_eq!(store.stop().await.unwrap_err(), refused);
        assert_eq!(store.drain().await.unwrap_err(), refused);
        assert_eq!(system.stop("store").await.unwrap_err(), refused);
        assert_eq!(system.drain("store").await.unwrap_err(), refused);
        let itself = store.ask(act_in(|ctx| Box::pin(async { ctx.stop().unwrap_err() })));
        assert_eq!(itself.await.unwrap(), refused);
        assert_eq!(store.state(), ModuleState::Running);
        assert_eq!(store.ask(Note(1)).await, Ok(1), "it goes on as before");
        assert!(matches!(system.stop("nobody").await, Err(StopError::NotFound { ref names, .. }) if names.len() == 4));
        // From the top each may be stopped.
        for name in ["app", "right", "left", "store"] {
            assert_eq!(system.stop(name).await.unwrap().state, ModuleState::Stopped);
        }
        assert!(store.stop().await.is_ok(), "a module that has ended is reported");
        assert_eq!(names_of(&log, "stop"), "app right left store");
    });
}

#[test]
fn with_its_dependents_a_module_stops_after_them() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let store = diamond(&system, &log).await;
        needing(&system, &log, "other", &[]).await.unwrap();
        assert_eq!(system.stop("left").with_dependents().await.unwrap().name, "left");
        assert_eq!(names_of(&log, "stop"), "app left");
        assert_eq!(store.stop().with_dependents().await.unwrap().state, ModuleState::Stopped);
        assert_eq!(
            (names_of(&log, "stop"), names_of(&log, "drop")),
            ("app left right store".into(), "app left right store".into())
        );
        assert_eq!(system.modules().len(), 1);
        system.shutdown().await;
    });
}

#[test]
fn with_its_dependents_a_module_is_drained_after_them_and_answers_them_meanwhile() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let store = system.register_module(puppet(&log)).name("store").await.unwrap();
        let shop = system.register_module(Puppet::default()).name("shop").depends_on("store").await.unwrap();
        let held = held(&shop).await;
        for number in 0..3 {
            let target = store.clone();
            shop.send(act_in(move |_| Box::pin(async move { drop(target.ask(Note(number)).await) }))).await.unwrap();
        }
        let drain = tokio::spawn(store.drain().with_dependents());
        eventually("it has begun", || shop.state() == ModuleState::Stopping).await;
        assert_eq!(store.state(), ModuleState::Running);
        held.release();
        assert_eq!(drain.await.unwrap().unwrap().undelivered, 0);
        assert_eq!(log.all(), [0, 1, 2]);
        assert!(shop.state().is_ended());
        system.shutdown().await;
    });
}

#[test]
fn a_stop_with_dependents_goes_on_when_nobody_waits() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let store = diamond(&system, &log).await;
        {
            // Begun, and left; elsewhere it may have come far by now.
            let mut stop = std::pin::pin!(store.stop().with_dependents());
            drop(futures::poll!(stop.as_mut()));
        }
        eventually("all has ended", || system.modules().is_empty()).await;
        assert_eq!(names_of(&log, "drop"), "app right left store");
    });
}

#[test]
fn a_module_that_would_wait_for_itself_begins_the_stop_and_goes_on() {
    on_every_runtime(|| async {
        for stops in ["store", "app"] {
            let system = System::new();
            let log = Log::new();
            let store = diamond(&system, &log).await;
            let caller = system.get::<Puppet>(stops).unwrap();
            let target = store.clone();
            let begun = act_in(move |_| Box::pin(async move { target.stop().with_dependents().await.unwrap().state }));
            assert!(!caller.ask(begun).await.unwrap().is_ended());
            eventually("all has ended", || system.modules().is_empty()).await;
            assert_eq!(names_of(&log, "stop"), "app right left store");
        }
    });
}

#[test]
fn a_parent_is_not_stopped_under_those_who_depend_on_its_children() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let parent = system.register_module(noted(&log, "parent")).name("parent").await.unwrap();
        let names = log.clone();
        parent
            .ask(act_in(move |ctx| {
                Box::pin(async move {
                    ctx.register_module(noted(&names, "child")).name("child").await.unwrap();
                    // One child may depend on another: they end together.
                    ctx.register_module(noted(&names, "sibling")).name("sibling").depends_on("child").await.unwrap();
                })
            }))
            .await
            .unwrap();
        needing(&system, &log, "guest", &["child"]).await.unwrap();
        let error = parent.stop().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "module `parent` was not stopped: `guest` depends on it; stop them first, or all of them with `.with_dependents()`"
        );
        parent.stop().with_dependents().await.unwrap();
        assert_eq!(names_of(&log, "stop"), "guest sibling child parent");
        assert!(system.modules().is_empty());
    });
}

#[test]
fn a_pool_is_not_stopped_under_those_who_depend_on_a_member() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let pool = system.register_pool(3, |_| Puppet::default()).name("worker").await.unwrap();
        needing(&system, &log, "guest", &["worker-1"]).await.unwrap();
        assert!(
            matches!(pool.stop().await, Err(StopError::Dependents { ref dependents, .. }) if dependents == &["guest"])
        );
        assert!(pool.drain().await.is_err());
        assert!(pool.members().iter().all(|member| member.state() == ModuleState::Running), "none of them is stopped");
        assert_eq!(pool.drain().with_dependents().await.unwrap().len(), 3);
        assert_eq!(names_of(&log, "drop"), "guest");
        assert!(system.modules().is_empty());
    });
}

#[test]
fn dependents_that_failed_or_ended_count_no_more() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let store = needing(&system, &log, "store", &[]).await.unwrap();
        for _ in 0..3 {
            let shop = needing(&system, &log, "shop", &["store"]).await.unwrap();
            assert!(store.stop().await.is_err());
            shop.send(dms_tests::Boom("bad luck")).await.unwrap();
            shop.stopped().await;
        }
        store.stop().await.unwrap();
        assert!(system.modules().is_empty());
    });
}
