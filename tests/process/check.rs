//! What would keep a process from being spawned is found without spawning it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use dms::System;
use dms::process::{HealthConfig, Process, ProcessConfig, ProcessError};

use crate::real::sh;

/// A file that is a script.
fn script(path: &Path, mode: u32) {
    fs::write(path, "#!/bin/sh\nexit 0\n").unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_check_finds_the_program_where_the_spawn_would_look_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let (program, other) = (folder.path().join("program"), folder.path().join("other"));
    script(&program, 0o755);
    script(&other, 0o644);
    let path = format!("/nowhere:/etc/passwd:{}", folder.path().display());

    assert!(ProcessConfig::new("a", &program).check().is_ok());
    assert!(ProcessConfig::new("a", "program").env("PATH", &path).check().is_ok(), "in the PATH that it will have");
    assert!(ProcessConfig::new("a", "./program").current_dir(folder.path()).check().is_ok(), "in its directory");

    let missing = ProcessConfig::new("a", "program").check().unwrap_err();
    let searched = std::env::var("PATH").unwrap();
    assert!(
        matches!(&missing, ProcessError::ProgramNotFound { searched: Some(path), .. } if *path == searched),
        "{missing}"
    );
    let missing = ProcessConfig::new("a", "./none").current_dir(folder.path()).check().unwrap_err();
    let none = folder.path().join("./none");
    assert!(matches!(&missing, ProcessError::ProgramNotFound { program, searched: None, .. } if *program == none));
    for config in [ProcessConfig::new("a", &other), ProcessConfig::new("a", "other").env("PATH", &path)] {
        let refused = config.check().unwrap_err();
        assert!(matches!(&refused, ProcessError::NotExecutable { program, .. } if *program == other), "{refused}");
    }
    let folder = ProcessConfig::new("a", folder.path()).check().unwrap_err();
    assert!(matches!(folder, ProcessError::NotExecutable { .. }), "{folder}");
}

#[test]
fn a_check_finds_what_else_is_wrong_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let shell = || sh("a", &format!("touch {}", mark.display()));
    assert!(shell().user("root").group("0").current_dir(folder.path()).check().is_ok());
    let error = shell().current_dir("/etc/passwd").check().unwrap_err();
    assert!(matches!(error, ProcessError::Directory { .. }), "{error}");
    let error = shell().user("nobody-of-this-name").check().unwrap_err();
    assert!(matches!(error, ProcessError::UnknownUser { .. }), "{error}");
    let error = shell().group("nobody-of-this-name").check().unwrap_err();
    assert!(matches!(error, ProcessError::UnknownGroup { .. }), "{error}");
    let error = shell().health(HealthConfig::http("not a url")).check().unwrap_err();
    assert!(matches!(error, ProcessError::Setting { setting: "health", .. }), "{error}");
    assert!(!mark.exists());
}

#[tokio::test]
async fn a_process_without_its_dependencies_may_follow_one_that_has_ended() {
    let system = System::new();
    Process::spawn(&system, sh("job", "exit 0")).await.unwrap().wait().await.unwrap();
    let after = sh("after", "exit 0").depends_on("job");
    let error = Process::spawn(&system, after.clone()).await.unwrap_err();
    assert!(matches!(error, ProcessError::Register { .. }), "{error:?}");
    let after = Process::spawn(&system, after.without_dependencies()).await.unwrap();
    assert!(after.wait().await.unwrap().is_success());
    system.shutdown().await;
}
