//! L2: an empty and a shut-down system own no task.

use std::time::Duration;

use dms::System;
use dms::testing::{mock, probe};
use dms_tests::{Boom, Flavor, Note, Puppet, act, act_in, eventually, held, hold, on_every_runtime, settle};

fn alive() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Tokio's own counter may lag behind on several threads.
async fn none_is_alive(what: &str) {
    if tokio::runtime::Handle::current().runtime_flavor() == tokio::runtime::RuntimeFlavor::CurrentThread {
        assert_eq!(alive(), 0, "{what}");
    } else {
        eventually(what, || alive() == 0).await;
    }
}

#[test]
fn l2_an_empty_system_owns_no_task() {
    on_every_runtime(|| async {
        let system = System::new();
        assert_eq!(alive(), 0);
        assert!(system.modules().is_empty());
        drop(system);
        settle().await;
        none_is_alive("after an empty system was dropped").await;
    });
}

#[test]
fn l2_a_module_is_one_task() {
    on_every_runtime(|| async {
        let system = System::new();
        for number in 1..=10 {
            system.register_module(Puppet::default()).await.unwrap();
            assert_eq!(alive(), number);
        }
        system.shutdown().await;
        none_is_alive("after a shutdown").await;
    });
}

#[test]
fn l2_a_shut_down_system_owns_no_task_whatever_it_did_before() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let bounded = system.register_module(Puppet::default()).mailbox(1).await.unwrap();
        let doomed = system.register_module(Puppet::default()).await.unwrap();
        // Ticks and delays, asks with coarse and with exact deadlines, tasks, children, a panic.
        module.request_tick(Note(1), Duration::from_millis(1));
        module.request_tick(Note(1), Duration::MAX);
        module.send_after(Note(1), Duration::from_hours(1));
        module.ask(Note(1)).await.unwrap();
        module.ask(Note(1)).timeout(Duration::from_secs(1)).await.unwrap();
        module
            .ask(act_in(|ctx| {
                drop(ctx.spawn("endless", std::future::pending::<()>()));
                let child = ctx.register_module(Puppet::default());
                Box::pin(async move { drop(child.await.unwrap()) })
            }))
            .await
            .unwrap();
        doomed.send(Boom("now")).await.unwrap();
        let held = held(&bounded).await;
        bounded.try_send(Note(1)).unwrap();
        let waiting = tokio::spawn({
            let bounded = bounded.clone();
            async move { bounded.ask(Note(1)).await }
        });
        settle().await;
        assert!(alive() >= 5);
        let last = system.register_module(Puppet::default()).await.unwrap();
        let (report, ()) = tokio::join!(system.shutdown(), async {
            last.stopped().await;
            held.release();
        });
        assert!(report.complete);
        assert!(waiting.await.unwrap().is_err());
        none_is_alive("after a shutdown").await;
    });
}

#[test]
fn l2_a_system_whose_last_module_was_stopped_owns_no_task() {
    on_every_runtime(|| async {
        let system = System::new();
        for _ in 0..3 {
            let module = system.register_module(Puppet::default()).await.unwrap();
            module.request_tick(Note(1), Duration::from_millis(1));
            module.ask(act(tokio::time::sleep(Duration::from_millis(5)))).await.unwrap();
            module.stop().await.unwrap();
            // The driver of ticks and deadlines ends with its next sweep.
            eventually("no task is alive after the last module", || alive() == 0).await;
        }
    });
}

#[test]
fn l2_a_dropped_system_leaves_no_task() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        module.request_tick(Note(1), Duration::from_millis(1));
        drop(system);
        module.stopped().await;
        eventually("no task is alive", || alive() == 0).await;
    });
}

#[test]
fn l2_what_was_cut_off_leaves_no_task() {
    on_every_runtime(|| async {
        let system = System::new();
        let mut holds = Vec::new();
        for _ in 0..5 {
            let module = system.register_module(Puppet::default()).await.unwrap();
            let (holding, mut stuck) = hold();
            module
                .send(act_in(|ctx| {
                    drop(ctx.spawn("endless", std::future::pending::<()>()));
                    Box::pin(holding)
                }))
                .await
                .unwrap();
            stuck.begun().await;
            holds.push(stuck);
        }
        let report = system.shutdown_within(Duration::from_millis(20)).await;
        assert_eq!(report.overran.len(), 5);
        settle().await;
        none_is_alive("after modules were cut off").await;
    });
}

#[test]
fn probes_and_mocks_leave_no_task() {
    on_every_runtime(|| async {
        let probe = probe::<u64>();
        let mock = mock::<Puppet>(drop);
        probe.recipient().send(1).await.unwrap();
        assert!(mock.ask(Note(1)).await.is_err());
        assert!(alive() >= 2);
        drop((probe, mock));
        eventually("no task is alive", || alive() == 0).await;
    });
}

/// The runtime can be shut down with everything in it, also in the midst of work.
#[test]
fn l4_a_runtime_that_is_dropped_takes_its_modules_with_it() {
    for flavor in Flavor::ALL {
        let dropped = dms_tests::Drops::new();
        let runtime = flavor.runtime();
        let system = System::new();
        let module = runtime.block_on(async {
            let module = system.register_module(Puppet::default().keeping(dropped.token())).await.unwrap();
            module.request_tick(Note(1), Duration::from_millis(1));
            drop(held(&module).await);
            for _ in 0..10 {
                module.send(Note(1)).await.unwrap();
            }
            module
        });
        drop(runtime);
        assert_eq!(dropped.count(), 1);
        assert!(module.try_send(Note(1)).is_err());
        assert!(module.state().is_ended());
        drop(system);
    }
}
