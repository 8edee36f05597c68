//! Many processes at once, and on every kind of runtime.

use std::time::{Duration, Instant};

use dms::System;
use dms::process::{Process, ProcessConfig, ProcessManager, ProcessStatus};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::real::{Says, lives, sh, takes_at_most};

#[tokio::test]
async fn fifty_processes_run_at_once_and_end_within_one_grace() {
    let grace = Duration::from_secs(1);
    takes_at_most(grace * 2, async || {
        let system = System::new();
        let manager = ProcessManager::new(&system, ProcessConfig::default().grace(grace));
        let says: Vec<_> = (0..50).map(|_| Says::new()).collect();
        let mut spawns = JoinSet::new();
        for (number, says) in says.iter().enumerate() {
            let script = "trap '' TERM; echo ready > $SAYS; while :; do sleep 600 & wait; done";
            let (manager, config) = (manager.clone(), says.heard_by(sh(&format!("job-{number}"), script)));
            spawns.spawn(async move { manager.spawn(config).await.unwrap() });
        }
        let handles = spawns.join_all().await;
        for says in &says {
            says.line().await;
        }
        let pids: Vec<_> = handles.iter().map(|handle| handle.pid().unwrap()).collect();
        assert!(pids.iter().copied().all(lives));
        assert_eq!(manager.list().len(), 50);
        let begun = Instant::now();
        system.shutdown().await;
        let took = begun.elapsed();
        assert!(took >= grace, "{took:?}");
        assert!(!pids.into_iter().any(lives));
        for handle in handles {
            assert_eq!(handle.status(), ProcessStatus::Terminated);
            assert!(handle.report().exit.unwrap().grace_passed);
        }
        took
    })
    .await;
}

#[tokio::test]
async fn a_process_ends_before_the_one_that_it_depends_on() {
    let system = System::new();
    let manager = ProcessManager::new(&system, ProcessConfig::default());
    let (says, go) = (Says::new(), Says::new());
    // Asked to end it says so, and ends when it is told that it may.
    let script =
        "trap 'echo $NAME > $SAYS; read go < $GO; exit 0' TERM; echo ready > $SAYS; while :; do sleep 0.01; done";
    let config = |name: &str| says.heard_by(sh(name, script)).env("NAME", name).env("GO", go.path());
    manager.spawn(config("store")).await.unwrap();
    assert_eq!(says.line().await, "ready");
    manager.spawn(config("shop").depends_on("store")).await.unwrap();
    assert_eq!(says.line().await, "ready");
    let error = manager.stop("store").await.unwrap_err();
    assert_eq!(error.to_string(), "process `store` was not stopped");
    let shutdown = tokio::spawn(async move { system.shutdown().await });
    assert_eq!(says.line().await, "shop");
    assert_eq!(manager.status("shop").unwrap(), ProcessStatus::Stopping);
    assert_eq!(manager.status("store").unwrap(), ProcessStatus::Idle, "it is needed still");
    go.tell("go").await;
    assert_eq!(says.line().await, "store");
    go.tell("go").await;
    shutdown.await.unwrap();
}

#[test]
fn a_process_runs_on_every_kind_of_runtime_and_on_two_at_once() {
    let runtimes = [Builder::new_current_thread, || Builder::new_multi_thread()]
        .map(|flavour| flavour().enable_all().build().unwrap());
    let systems = [System::new(), System::new()];
    let handles: Vec<_> = runtimes
        .iter()
        .zip(&systems)
        .map(|(runtime, system)| {
            runtime.block_on(Process::spawn(system, ProcessConfig::new("job", "sleep").arg("600"))).unwrap()
        })
        .collect();
    let pids: Vec<_> = handles.iter().map(|handle| handle.pid().unwrap()).collect();
    assert!(pids.iter().copied().all(lives));
    // The first runtime is driven while somebody waits in it, and the handles are the same everywhere.
    let [first, second] = &runtimes;
    second.block_on(handles[1].stop()).unwrap();
    first.block_on(handles[0].stop()).unwrap();
    assert!(!pids.into_iter().any(lives));
    for (runtime, system) in runtimes.iter().zip(systems) {
        runtime.block_on(system.shutdown());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_is_spawned_and_stopped_from_a_thread_that_blocks() {
    let system = System::new();
    let runtime = tokio::runtime::Handle::current();
    let exit = tokio::task::block_in_place(|| {
        runtime.block_on(async {
            let job = Process::spawn(&system, ProcessConfig::new("job", "sleep").arg("600")).await.unwrap();
            job.stop().await.unwrap().exit.unwrap()
        })
    });
    assert!(exit.signal().is_some());
    system.shutdown().await;
}

#[tokio::test]
async fn a_spawn_that_nobody_waits_for_leaves_nothing() {
    let system = System::new();
    let manager = ProcessManager::new(&system, ProcessConfig::default());
    for number in 0..20 {
        let mut spawn = Box::pin(manager.spawn(ProcessConfig::new(format!("job-{number}"), "sleep").arg("600")));
        // It is begun, and dropped somewhere on its way.
        assert!(futures::poll!(&mut spawn).is_pending());
        for _ in 0..number {
            tokio::task::yield_now().await;
        }
        drop(spawn);
    }
    assert!(manager.list().is_empty());
    let report = system.shutdown().await;
    assert!(report.complete && report.overran.is_empty());
}

#[tokio::test]
async fn a_process_is_stopped_while_it_is_being_spawned() {
    let system = System::new();
    let manager = ProcessManager::new(&system, ProcessConfig::default());
    let mut spawn = Box::pin(manager.spawn(ProcessConfig::new("job", "sleep").arg("600")));
    assert!(futures::poll!(&mut spawn).is_pending());
    assert_eq!(manager.status("job").unwrap(), ProcessStatus::Initializing);
    let handle = manager.handle("job").unwrap();
    let (spawned, stopped) = tokio::join!(spawn, handle.stop());
    assert!(spawned.is_err(), "it was stopped before it ran");
    let report = stopped.unwrap();
    assert_eq!(report.status, ProcessStatus::Terminated);
    assert_eq!(report.pid, None);
    system.shutdown().await;
}
