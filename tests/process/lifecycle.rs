//! A process is spawned, ends, and is ended.

use std::time::{Duration, Instant};

use dms::process::{Process, ProcessConfig, ProcessManager, ProcessStatus, Signal};
use dms::recovery::Restart;
use dms::{Failure, System};

use crate::real::{Says, lives, sh, soon, takes_at_most};

#[tokio::test]
async fn an_exit_with_zero_is_a_normal_end() {
    let system = System::new();
    let job = Process::spawn(&system, sh("job", "exit 0").restart(Restart::on_failure())).await.unwrap();
    let exit = job.wait().await.unwrap();
    assert_eq!((exit.code, exit.signal), (Some(0), None));
    let report = job.report();
    assert_eq!((report.starts, report.status), (1, ProcessStatus::Terminated));
    assert!(system.failure().is_none());
    system.shutdown().await;
}

#[tokio::test]
async fn what_fails_too_often_escalates_once_and_says_what_it_exited_with() {
    let system = System::new();
    let manager = ProcessManager::new(&system, ProcessConfig::default());
    let restart = soon(Restart::on_failure().max_restarts(3, Duration::from_mins(1)));
    let job = manager.spawn(sh("job", "exit 3").restart(restart)).await.unwrap();
    job.wait().await.unwrap();
    let report = manager.report("job").unwrap();
    assert_eq!((report.starts, report.restarts()), (4, 3));
    let ProcessStatus::Error(text) = &report.status else { panic!("{:?}", report.status) };
    assert!(text.contains("exited with 3"), "{text}");
    let failure = system.shutdown().await.failure.expect("it was the last supervisor");
    assert!(matches!(failure.failure, Failure::Hook { hook: "run", .. }), "{failure:?}");
}

#[tokio::test]
async fn a_process_that_refuses_to_end_is_killed_after_its_grace_with_its_grandchildren() {
    let grace = Duration::from_millis(200);
    takes_at_most(grace * 2, async || {
        let system = System::new();
        let says = Says::new();
        let script = "trap '' TERM; sleep 600 & echo $! > $SAYS; while :; do wait; done";
        let deaf = Process::spawn(&system, says.heard_by(sh("deaf", script)).grace(grace)).await.unwrap();
        let grandchild = says.number().await;
        let child = deaf.pid().unwrap();
        assert!(lives(child) && lives(grandchild));
        let begun = Instant::now();
        let report = deaf.stop().await.unwrap();
        let took = begun.elapsed();
        assert!(!lives(child) && !lives(grandchild));
        assert!(took >= grace, "{took:?}");
        let exit = report.exit.unwrap();
        assert_eq!((exit.signal(), exit.grace_passed), (Some(Signal::KILL), true));
        assert_eq!(report.status, ProcessStatus::Terminated);
        system.shutdown().await;
        took
    })
    .await;
}
