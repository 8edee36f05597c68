//! Which ends are met with a restart, and which are not.

use std::time::Duration;

use dms::process::{Process, ProcessConfig, ProcessHandle, ProcessManager, ProcessStatus, Signal};
use dms::recovery::{Backoff, Restart};
use dms::{ModuleState, System, prelude::*};

use crate::real::{Says, lives, sh, soon};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn always_starts_what_exited_with_zero_again() {
    let system = System::new();
    let restart = soon(Restart::always().max_restarts(2, MINUTE));
    let job = Process::spawn(&system, sh("job", "exit 0").restart(restart)).await.unwrap();
    job.wait().await.unwrap();
    let report = job.report();
    assert_eq!((report.starts, report.status), (3, ProcessStatus::Terminated));
    system.shutdown().await;
}

#[tokio::test]
async fn never_leaves_a_failure_where_it_is() {
    let system = System::new();
    let job = Process::spawn(&system, sh("job", "exit 1")).await.unwrap();
    job.wait().await.unwrap();
    assert_eq!(job.report().starts, 1);
    assert!(system.failure().is_none(), "nobody else fails of it");
    system.shutdown().await;
}

#[tokio::test]
async fn what_a_signal_ended_has_failed() {
    let system = System::new();
    let restart = soon(Restart::on_failure().max_restarts(3, MINUTE));
    let job = Process::spawn(&system, ProcessConfig::new("job", "sleep").arg("600").restart(restart)).await.unwrap();
    let first = job.pid().unwrap();
    job.signal(Signal::KILL).unwrap();
    let report = job.until(|report| report.starts == 2 && report.status.is_running()).await.unwrap();
    assert_ne!(report.pid, Some(first));
    let exit = report.exit.unwrap();
    assert_eq!((exit.pid, exit.signal()), (first, Some(Signal::KILL)));
    let error = report.last_error.unwrap().to_string();
    assert!(error.contains("was ended by SIGKILL"), "{error}");
    system.shutdown().await;
}

#[tokio::test]
async fn what_was_stopped_or_killed_is_not_started_again() {
    let system = System::new();
    let manager = ProcessManager::new(&system, ProcessConfig::default().restart(soon(Restart::always())));
    for kills in [false, true] {
        let job = manager.spawn(ProcessConfig::new("job", "sleep").arg("600")).await.unwrap();
        let pid = job.pid().unwrap();
        let report = if kills { job.kill().await } else { job.stop().await }.unwrap();
        let signal = if kills { Signal::KILL } else { Signal::TERM };
        assert_eq!(report.exit.unwrap().signal(), Some(signal));
        assert_eq!((report.starts, report.status, report.pid), (1, ProcessStatus::Terminated, None));
        assert!(report.last_error.is_none() && !lives(pid));
        assert_eq!(job.module().state(), ModuleState::Stopped);
        assert_eq!(job.stop().await.unwrap().starts, 1, "it may be stopped again");
    }
    assert!(system.failure().is_none());
    system.shutdown().await;
}

#[tokio::test]
async fn a_process_that_waits_to_be_started_again_is_stopped_at_once() {
    let system = System::new();
    let hour = Duration::from_hours(1);
    let restart = Restart::on_failure().backoff(Backoff::new(hour, hour));
    let job = Process::spawn(&system, sh("job", "exit 3").restart(restart)).await.unwrap();
    job.until(|report| matches!(report.status, ProcessStatus::Error(_))).await.unwrap();
    assert!(job.signal(Signal::TERM).is_err());
    let report = job.stop().await.unwrap();
    assert_eq!((report.starts, report.status), (1, ProcessStatus::Terminated));
    assert_eq!(report.exit.unwrap().code, Some(3));
    system.shutdown().await;
}

#[tokio::test]
async fn a_program_that_goes_away_between_two_starts_fails_the_next() {
    let system = System::new();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    std::os::unix::fs::symlink("/bin/false", &program).unwrap();
    let says = Says::new();
    let restart = soon(Restart::on_failure().max_restarts(1, MINUTE));
    // It takes itself away, and ends when it is told.
    let script = format!("rm {}; exit 1", program.display());
    std::fs::remove_file(&program).unwrap();
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let job =
        Process::spawn(&system, says.heard_by(ProcessConfig::new("job", &program)).restart(restart)).await.unwrap();
    job.wait().await.unwrap();
    let report = job.report();
    assert_eq!(report.starts, 1);
    let ProcessStatus::Error(text) = &report.status else { panic!("{:?}", report.status) };
    assert!(text.contains(&format!("there is no program {}", program.display())), "{text}");
    system.shutdown().await;
}

#[tokio::test]
async fn a_module_that_is_killed_takes_its_process_with_it() {
    let system = System::new();
    let restart = soon(Restart::on_failure().max_restarts(3, MINUTE));
    let job = Process::spawn(&system, ProcessConfig::new("job", "sleep").arg("600").restart(restart)).await.unwrap();
    let first = job.pid().unwrap();
    let _ = job.module().kill().await;
    job.until(|report| report.starts == 2 && report.status.is_running()).await.unwrap();
    crate::real::gone(first).await;
    system.shutdown().await;
}

/// A module that owns a process, without a manager.
#[module(name = "owner")]
struct Owner {
    config: ProcessConfig,
    raw: Option<ProcessHandle>,
}

#[module]
impl Owner {
    #[init]
    async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        let config = self.config.clone().restart(soon(Restart::on_failure()));
        self.raw = Some(Process::spawn(ctx.supervisor(), config).await?);
        let _handle = Process::spawn(ctx.supervisor(), sh("handled", "sleep 600")).await?;
        Ok(())
    }

    #[handler(Raw)]
    fn raw(&self) -> Option<ProcessHandle> {
        self.raw.clone()
    }
}

#[tokio::test]
async fn any_supervisor_can_own_a_process_as_its_configuration_says() {
    let system = System::new();
    let owner = system.register_module(Owner { config: sh("raw", "sleep 600"), raw: None }).await.unwrap();
    let raw = owner.raw().await.unwrap().unwrap();
    assert_eq!((raw.id().as_str(), raw.status()), ("raw", ProcessStatus::Idle));
    raw.signal(Signal::KILL).unwrap();
    let report = raw.until(|report| report.restarts() == 1 && report.status.is_running()).await.unwrap();
    let error = report.last_error.unwrap().to_string();
    assert!(error.contains("SIGKILL"), "what is known outlives a restart: {error}");
    let handled = system.get::<Process>("handled").unwrap();
    owner.stop().await.unwrap();
    assert!(!lives(report.pid.unwrap()) && handled.state().is_ended());
    system.shutdown().await;
}
