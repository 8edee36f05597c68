//! Every name that seed 002 gives to processes is there.

use std::time::Duration;

use dms::process::{
    ProcessConfig, ProcessError, ProcessHandle, ProcessId, ProcessManager, ProcessResult, ProcessStatus, ResourceLimits,
};
use dms::recovery::{HealthMonitor, HealthStatus, HealthThresholds, Restart, RestartPolicy};
use dms::{Supervisor, System};

/// `process_manager.rs`, as it stands there, but that the supervisor is a reference and the operations name what they are about once.
#[tokio::test]
async fn seed_002_the_process_manager() {
    let system = System::new();
    let supervisor: Supervisor = (&system).into();
    let config: ProcessConfig = ProcessConfig::default();
    let manager = ProcessManager::new(supervisor, config);

    let id: ProcessId = "agent".into();
    let spawned: ProcessResult<ProcessHandle> =
        manager.spawn_process(id.clone(), "sleep", vec!["600".to_owned()]).await;
    let handle = spawned.unwrap();
    assert_eq!(*handle.id(), id);
    assert!(handle.pid().is_some());
    assert!(handle.report().spawn_time.is_some());
    assert_eq!(handle.module().health(), HealthStatus::Healthy);

    let status: ProcessStatus = manager.status(&id).unwrap();
    match status {
        ProcessStatus::Initializing | ProcessStatus::Idle | ProcessStatus::Busy | ProcessStatus::Paused => {}
        ProcessStatus::Error(text) => panic!("{text}"),
        ProcessStatus::Stopping | ProcessStatus::Terminated => panic!("it was not stopped"),
    }
    manager.stop(&id).await.unwrap();
    assert_eq!(manager.status(&id).unwrap(), ProcessStatus::Terminated);

    let error: ProcessError = manager.status("nobody").unwrap_err();
    assert!(matches!(error, ProcessError::NotFound { .. }));
    assert!(ResourceLimits::default().is_empty());
    let restart = handle.config().clone().restart(Restart { policy: RestartPolicy::Never, ..Restart::default() });
    assert!(format!("{restart:?}").contains("Never"));
    assert_eq!(HealthMonitor::new(HealthThresholds::default()).status(), &HealthStatus::Healthy);
    assert!(system.shutdown_within(Duration::from_secs(10)).await.complete);
}
