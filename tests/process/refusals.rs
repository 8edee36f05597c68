//! What cannot be spawned says so, and names the path.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use dms::process::{ProcessConfig, ProcessError, ProcessManager, ResourceLimits};
use dms::{RegisterError, System};

use crate::real::sh;

async fn refused(config: ProcessConfig) -> ProcessError {
    let system = System::new();
    let manager = ProcessManager::new(&system, ProcessConfig::default());
    let error = manager.spawn(config).await.unwrap_err();
    assert!(manager.list().is_empty(), "nothing of it is left");
    assert!(system.modules().is_empty());
    system.shutdown().await;
    error
}

#[tokio::test]
async fn a_command_that_is_empty_is_none() {
    let config = ProcessConfig::new("job", "");
    let unspawned = config.check().unwrap_err();
    for error in [unspawned, refused(config).await] {
        assert!(matches!(error, ProcessError::Setting { setting: "command", .. }), "{error}");
        assert!(error.to_string().contains("its `command` is empty: name a program"), "{error}");
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named_with_its_path() {
    let error = refused(ProcessConfig::new("job", "/no/such/program")).await;
    assert!(
        matches!(&error, ProcessError::ProgramNotFound { program, searched: None, .. } if program == "/no/such/program")
    );
    assert_eq!(error.to_string(), "process `job` was not spawned: there is no program /no/such/program");

    let config = ProcessConfig::new("job", "no-such-program").env("PATH", "/opt/a:/opt/b");
    let error = refused(config).await;
    assert_eq!(
        error.to_string(),
        "process `job` was not spawned: there is no program no-such-program in /opt/a:/opt/b"
    );

    let error = refused(ProcessConfig::new("job", "./program").current_dir("/tmp")).await;
    assert!(error.to_string().ends_with("there is no program /tmp/./program"), "{error}");
}

#[tokio::test]
async fn a_program_that_may_not_be_run_is_named_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    fs::write(&program, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o644)).unwrap();
    for program in [program, folder.path().to_owned()] {
        let error = refused(ProcessConfig::new("job", &program)).await;
        let ProcessError::NotExecutable { program: named, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*named, program);
        assert!(error.to_string().contains(&program.display().to_string()));
    }
}

#[tokio::test]
async fn what_a_program_is_run_by_is_named_where_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    fs::write(&program, "#!/no/such/interpreter -x\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let expected = format!(
        "process `job` was not spawned: {} is run by /no/such/interpreter, which is not there",
        program.display()
    );
    let config = ProcessConfig::new("job", &program);
    assert_eq!(config.check().unwrap_err().to_string(), expected);
    assert_eq!(refused(config).await.to_string(), expected);
}

#[tokio::test]
async fn a_program_is_looked_for_where_a_process_without_a_path_would() {
    let folder = tempfile::tempdir().unwrap();
    for config in [
        ProcessConfig::new("job", "no-such-program").env_clear(true),
        ProcessConfig::new("job", "no-such-program").env_remove("PATH"),
    ] {
        for error in [config.check().unwrap_err(), refused(config).await] {
            let ProcessError::ProgramNotFound { searched, .. } = &error else { panic!("{error:?}") };
            assert!(searched.as_ref().unwrap().ends_with("/bin:/usr/bin"), "{searched:?}");
        }
    }
    let own = ProcessConfig::new("job", "no-such-program").env_clear(true).env("PATH", folder.path());
    let ProcessError::ProgramNotFound { searched, .. } = own.check().unwrap_err() else { panic!() };
    assert_eq!(searched.as_deref(), folder.path().to_str());
}

#[tokio::test]
async fn so_few_open_files_that_nothing_starts_are_refused() {
    let config = sh("job", "exit 0").limits(ResourceLimits::new().open_files(3));
    for error in [config.check().unwrap_err(), refused(config).await] {
        assert!(matches!(&error, ProcessError::Setting { setting: "limits", .. }), "{error:?}");
    }
}

#[tokio::test]
async fn what_the_operating_system_refuses_besides_is_passed_on() {
    let error = refused(ProcessConfig::new("job", "/bin/true").arg("x".repeat(1 << 20))).await;
    let ProcessError::Spawn { program, source, .. } = &error else { panic!("{error:?}") };
    assert_eq!((program.to_str(), source.kind()), (Some("/bin/true"), std::io::ErrorKind::ArgumentListTooLong));
}

#[tokio::test]
async fn a_working_directory_that_cannot_be_entered_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for directory in [PathBuf::from("/no/such/directory"), file] {
        let error = refused(sh("job", "exit 0").current_dir(&directory)).await;
        assert!(matches!(&error, ProcessError::Directory { directory: named, .. } if *named == directory), "{error:?}");
        assert!(error.to_string().contains(&directory.display().to_string()), "{error}");
    }
}

#[tokio::test]
async fn a_user_and_a_group_that_there_are_not_are_named_with_where_they_were_looked_for() {
    let error = refused(sh("job", "exit 0").user("nobody-of-that-name")).await;
    assert_eq!(error.to_string(), "process `job` was not spawned: /etc/passwd knows no user `nobody-of-that-name`");
    let error = refused(sh("job", "exit 0").group("nobody-of-that-name")).await;
    assert_eq!(error.to_string(), "process `job` was not spawned: /etc/group knows no group `nobody-of-that-name`");
}

#[tokio::test]
async fn a_zero_byte_is_refused_as_a_setting() {
    let error = refused(sh("job", "exit 0").arg("a\0b")).await;
    assert!(matches!(error, ProcessError::Setting { .. }), "{error:?}");
}

#[tokio::test]
async fn an_id_that_cannot_be_a_name_is_refused() {
    let error = refused(sh("", "exit 0")).await;
    let ProcessError::Register { source, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(**source, RegisterError::Name { .. }), "{source:?}");
}

#[tokio::test]
async fn an_id_belongs_to_one_process_at_a_time() {
    let system = System::new();
    let manager = ProcessManager::new(&system, ProcessConfig::default());
    let first = manager.spawn(ProcessConfig::new("job", "sleep").arg("600")).await.unwrap();
    let error = manager.spawn(sh("job", "exit 0")).await.unwrap_err();
    assert!(matches!(&error, ProcessError::Taken { id } if *id == "job"), "{error:?}");
    let other = ProcessManager::new(&system, ProcessConfig::default());
    let error = other.spawn(sh("job", "exit 0")).await.unwrap_err();
    assert!(matches!(error, ProcessError::Taken { .. }), "{error:?}");
    assert!(matches!(other.status("job"), Err(ProcessError::NotFound { .. })), "it is not its process");

    first.stop().await.unwrap();
    let second = manager.spawn(sh("job", "exit 7")).await.unwrap();
    assert_eq!(second.wait().await.unwrap().code, Some(7));
    assert_eq!(manager.report("job").unwrap().exit.unwrap().code, Some(7));
    system.shutdown().await;
}

#[tokio::test]
async fn an_unknown_id_is_refused_with_those_that_there_are() {
    let system = System::new();
    let manager = ProcessManager::new(&system, ProcessConfig::default());
    let job = manager.spawn(sh("job", "exit 0")).await.unwrap();
    let error = manager.stop("jbo").await.unwrap_err();
    assert_eq!(error.to_string(), "no process has the id `jbo`; there are: job");
    job.wait().await.unwrap();
    assert!(manager.forget("job") && !manager.forget("job"));
    assert!(matches!(manager.status("job"), Err(ProcessError::NotFound { .. })));
    system.shutdown().await;
}

#[tokio::test]
async fn a_system_that_is_shut_down_spawns_nothing() {
    let system = System::new();
    let manager = ProcessManager::new(&system, ProcessConfig::default());
    system.shutdown().await;
    let error = manager.spawn(sh("job", "exit 0")).await.unwrap_err();
    let ProcessError::Register { source, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(**source, RegisterError::ShuttingDown { .. }), "{source:?}");
}
