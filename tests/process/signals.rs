//! Halting, going on, and signals; and what leaves the group.

use dms::System;
use dms::prelude::*;
use dms::process::{Process, ProcessChanged, ProcessConfig, ProcessError, ProcessStatus, Signal};

use crate::real::{Says, gone, lives, sh, state_of};

#[tokio::test]
async fn a_process_is_halted_and_goes_on_with_what_it_started() {
    let system = System::new();
    let says = Says::new();
    let script = "sleep 600 & echo $! > $SAYS; wait";
    let job = Process::spawn(&system, says.heard_by(sh("job", script))).await.unwrap();
    let grandchild = says.number().await;
    let child = job.pid().unwrap();
    job.pause().unwrap();
    assert_eq!(job.status(), ProcessStatus::Paused);
    for pid in [child, grandchild] {
        crate::real::comes_to(pid, 'T').await;
    }
    job.resume().unwrap();
    assert_eq!(job.status(), ProcessStatus::Idle);
    for pid in [child, grandchild] {
        crate::real::comes_to(pid, 'S').await;
    }
    system.shutdown().await;
    assert!(!lives(child) && !lives(grandchild));
}

#[tokio::test]
async fn a_process_that_is_halted_is_stopped_within_its_grace() {
    let system = System::new();
    let says = Says::new();
    let script = "trap 'exit 5' TERM; echo ready > $SAYS; while :; do sleep 0.01; done";
    let job = Process::spawn(&system, says.heard_by(sh("job", script))).await.unwrap();
    says.line().await;
    job.pause().unwrap();
    let exit = job.stop().await.unwrap().exit.unwrap();
    assert_eq!((exit.code, exit.grace_passed), (Some(5), false), "it heard the signal, and ended by itself");
    system.shutdown().await;
}

#[tokio::test]
async fn a_signal_reaches_the_process() {
    let system = System::new();
    let says = Says::new();
    let script = "trap 'echo usr1 > $SAYS' USR1; echo ready > $SAYS; while :; do sleep 0.01; done";
    let job = Process::spawn(&system, says.heard_by(sh("job", script))).await.unwrap();
    assert_eq!(says.line().await, "ready");
    job.signal(Signal::USR1).unwrap();
    assert_eq!(says.line().await, "usr1");
    job.stop().await.unwrap();
    assert!(matches!(job.signal(Signal::USR1), Err(ProcessError::NotRunning { .. })));
    assert!(matches!(job.pause(), Err(ProcessError::NotRunning { .. })));
    system.shutdown().await;
}

#[tokio::test]
async fn what_makes_a_session_of_its_own_has_left_the_process() {
    let system = System::new();
    let says = Says::new();
    let script = "setsid sh -c 'echo $$ > $SAYS; exec sleep 600' & wait";
    let job = Process::spawn(&system, says.heard_by(sh("job", script))).await.unwrap();
    let daemon = says.number().await;
    job.stop().await.unwrap();
    assert!(lives(daemon), "it is nobody's");
    let pid = rustix::process::Pid::from_raw(i32::try_from(daemon).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    system.shutdown().await;
}

#[tokio::test]
async fn without_a_group_of_its_own_only_the_process_is_reached() {
    let system = System::new();
    let says = Says::new();
    let script = "sleep 600 & echo $! > $SAYS; wait";
    let config = says.heard_by(sh("job", script)).own_group(false);
    let job = Process::spawn(&system, config).await.unwrap();
    let grandchild = says.number().await;
    let exit = job.stop().await.unwrap().exit.unwrap();
    assert_eq!(exit.signal(), Some(Signal::TERM));
    assert!(lives(grandchild));
    let pid = rustix::process::Pid::from_raw(i32::try_from(grandchild).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    system.shutdown().await;
}

#[tokio::test]
async fn what_a_process_leaves_behind_when_it_exits_goes_too() {
    let system = System::new();
    let says = Says::new();
    let script = "sleep 600 & echo $! > $SAYS; exit 0";
    let job = Process::spawn(&system, says.heard_by(sh("job", script))).await.unwrap();
    let grandchild = says.number().await;
    assert!(job.wait().await.unwrap().is_success());
    gone(grandchild).await;
    system.shutdown().await;
}

#[module]
#[derive(Default)]
struct Journal {
    changes: Vec<ProcessChanged>,
}

#[module]
impl Journal {
    #[event]
    fn changed(&mut self, change: &ProcessChanged) {
        self.changes.push(change.clone());
    }

    #[handler(Changes)]
    fn changes(&self) -> Vec<ProcessChanged> {
        self.changes.clone()
    }
}

#[tokio::test]
async fn each_change_is_an_event_in_its_order() {
    let system = System::new();
    let journal = system.register_module(Journal::default()).await.unwrap();
    let job = Process::spawn(&system, ProcessConfig::new("job", "sleep").arg("600")).await.unwrap();
    let pid = job.pid().unwrap();
    job.pause().unwrap();
    job.pause().unwrap();
    job.resume().unwrap();
    job.stop().await.unwrap();
    let failing = Process::spawn(&system, sh("failing", "exit 3")).await.unwrap();
    failing.wait().await.unwrap();

    let changes = journal.changes().await.unwrap();
    let seen: Vec<_> = changes.iter().map(|change| format!("{} {} > {}", change.id, change.from, change.to)).collect();
    let [.., failed] = &changes[..] else { panic!() };
    let failing_pid = failed.pid.unwrap();
    assert_eq!(
        seen,
        [
            "job initializing > idle".to_owned(),
            "job idle > paused".to_owned(),
            "job paused > idle".to_owned(),
            "job idle > stopping".to_owned(),
            "job stopping > terminated".to_owned(),
            "failing initializing > idle".to_owned(),
            format!("failing idle > error: process `failing` (pid {failing_pid}) exited with 3"),
        ]
    );
    assert!(changes[..5].iter().all(|change| change.pid == Some(pid)));
    assert_eq!(changes[4].exit.as_ref().unwrap().signal(), Some(Signal::TERM));
    assert_eq!(failed.exit.as_ref().unwrap().code, Some(3));
    assert!(changes[..4].iter().all(|change| change.exit.is_none()));
    system.shutdown().await;
    assert_eq!(state_of(pid), None);
}
