//! Several modules behind one handle.

use std::collections::HashSet;

use dms::{AskError, ModuleState, RegisterError, Routing, SendError, System};
use dms_tests::{Drops, Log, Note, Puppet, act, act_in, held, on_every_runtime, puppet};

#[test]
fn round_robin_sends_to_one_member_after_the_other() {
    on_every_runtime(|| async {
        let system = System::new();
        let pool = system.register_pool(4, |_| Puppet::default()).routing(Routing::RoundRobin).await.unwrap();
        let mut ids = Vec::new();
        for _ in 0..12 {
            ids.push(pool.ask(act_in(|ctx| Box::pin(async move { ctx.id() }))).await.unwrap());
        }
        assert_eq!(ids[..4], ids[4..8]);
        assert_eq!(ids[..4], ids[8..]);
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 4);
        system.shutdown().await;
    });
}

#[test]
fn the_least_loaded_member_gets_the_message_the_one_in_hand_counted() {
    on_every_runtime(|| async {
        let system = System::new();
        let logs: Vec<_> = (0..3).map(|_| Log::new()).collect();
        let own = logs.clone();
        let pool = system.register_pool(3, move |number| puppet(&own[number])).await.unwrap();
        // Two are busy, with a message that runs and one that waits; the third has one in hand at most.
        let first = held(&pool.members()[0]).await;
        let second = held(&pool.members()[2]).await;
        pool.members()[0].try_send(Note(0)).unwrap();
        pool.members()[2].try_send(Note(0)).unwrap();
        for number in 0..20 {
            assert_eq!(pool.ask(Note(number)).await, Ok(number));
        }
        assert_eq!(logs[1].len(), 20, "all went to the idle one");
        first.release();
        second.release();
        system.shutdown().await;
    });
}

#[test]
fn a_thread_feeds_a_bounded_pool_which_holds_it_up_and_loses_nothing() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let own = log.clone();
        let pool = system.register_pool(2, move |_| puppet(&own)).mailbox(1).await.unwrap();
        let feeding = pool.clone();
        let feeder = tokio::task::spawn_blocking(move || {
            (0..100).try_for_each(|number| feeding.blocking_send(Note(number)).map_err(|refused| refused.to_string()))
        });
        feeder.await.unwrap().unwrap();
        for report in pool.drain().await.unwrap() {
            assert_eq!((report.state, report.undelivered), (ModuleState::Stopped, 0));
        }
        assert_eq!(log.len(), 100);
        assert!(matches!(pool.blocking_send(Note(0)), Err(SendError::Stopped(Note(0), _))));
        system.shutdown().await;
    });
}

#[test]
fn equal_keys_go_to_the_same_member_and_keys_are_spread() {
    on_every_runtime(|| async {
        let system = System::new();
        let pool = system.register_pool(8, |_| Puppet::default()).await.unwrap();
        let mut members = HashSet::new();
        // So many that no member is left out by chance.
        for key in 0..1_000 {
            let member = pool.by_key(&format!("key {key}"));
            for _ in 0..3 {
                assert_eq!(pool.clone().by_key(&format!("key {key}")), member);
            }
            members.insert(member.id());
        }
        assert_eq!(members.len(), 8);
        system.shutdown().await;
    });
}

#[test]
fn a_member_that_has_stopped_is_passed_over() {
    on_every_runtime(|| async {
        for routing in [Routing::RoundRobin, Routing::LeastLoaded] {
            let system = System::new();
            let pool = system.register_pool(3, |_| Puppet::default()).routing(routing).name("p").await.unwrap();
            pool.members()[1].stop().await.unwrap();
            for number in 0..30 {
                assert_eq!(pool.ask(Note(number)).await, Ok(number));
                pool.send(Note(number)).await.unwrap();
                pool.try_send(Note(number)).unwrap();
            }
            assert_eq!(pool.len(), 3);
            pool.stop().await.unwrap();
            assert!(matches!(pool.send(Note(7)).await, Err(SendError::Stopped(Note(7), _))));
            assert!(matches!(pool.try_send(Note(7)), Err(SendError::Stopped(Note(7), _))));
            assert!(matches!(pool.ask(Note(7)).await, Err(AskError::Stopped { .. })));
            system.shutdown().await;
        }
    });
}

#[test]
fn the_members_of_a_pool_have_names_and_bounds() {
    on_every_runtime(|| async {
        let system = System::new();
        let pool = system.register_pool(2, |_| Puppet::default()).name("worker").mailbox(1).await.unwrap();
        assert_eq!(system.get::<Puppet>("worker-1").unwrap(), pool.members()[1]);
        let holds = [held(&pool.members()[0]).await, held(&pool.members()[1]).await];
        pool.try_send(Note(1)).unwrap();
        pool.try_send(Note(2)).unwrap();
        assert_eq!(pool.depth(), 2);
        assert!(matches!(pool.try_send(Note(3)), Err(SendError::Full(Note(3), _))));
        holds.into_iter().for_each(dms_tests::Held::release);
        let reports = pool.drain().await.unwrap();
        assert_eq!(reports.len(), 2);
        assert!(reports.iter().all(|report| report.state == ModuleState::Stopped && report.undelivered == 0));
        system.shutdown().await;
    });
}

#[test]
fn a_pool_of_which_one_member_does_not_start_leaves_nothing() {
    on_every_runtime(|| async {
        let system = System::new();
        let (dropped, stops) = (Drops::new(), Log::new());
        let (tokens, log) = (dropped.clone(), stops.clone());
        let error = system
            .register_pool(4, move |number| {
                let log = log.clone();
                let member = Puppet::default().keeping(tokens.token()).on_stop(move |_| {
                    Box::pin(async move {
                        log.push(number);
                        Ok(())
                    })
                });
                if number == 2 { member.on_init(|_| Box::pin(async { Err("no".into()) })) } else { member }
            })
            .await
            .unwrap_err();
        assert!(matches!(error, RegisterError::Hook { hook: "init", .. }));
        assert_eq!(dropped.count(), 3);
        assert_eq!(stops.all(), [1, 0]);
        assert!(system.modules().is_empty());
        assert!(matches!(system.register_pool(0, |_| Puppet::default()).await, Err(RegisterError::EmptyPool { .. })));
    });
}

#[test]
fn a_pool_of_children_is_stopped_with_its_parent() {
    on_every_runtime(|| async {
        let system = System::new();
        let parent = system.register_module(Puppet::default()).await.unwrap();
        let pool = parent
            .ask(act_in(|ctx| {
                let pool = ctx.register_pool(3, |_| Puppet::default());
                Box::pin(async move { pool.await.unwrap() })
            }))
            .await
            .unwrap();
        assert_eq!(pool.ask(act(async { 1 })).await, Ok(1));
        parent.stop().await.unwrap();
        assert!(pool.members().iter().all(|member| member.state() == ModuleState::Stopped));
        system.shutdown().await;
    });
}
