//! What a configuration says, in code and in files.

use std::fs;
use std::time::Duration;

use dms::System;
use dms::process::{Process, ProcessConfig, ProcessManager};
use serde::Deserialize;

use crate::real::{Says, sh};

#[tokio::test]
async fn a_process_gets_its_arguments_environment_and_directory() {
    let system = System::new();
    let says = Says::new();
    let script = "echo \"$0 $1 $COLOUR $HOME $(pwd)\" > $SAYS";
    let config = says
        .heard_by(ProcessConfig::new("job", "/bin/sh"))
        .args(["-c", script, "zero", "one"])
        .env_clear(true)
        .env("COLOUR", "blue")
        .current_dir("/usr");
    let job = Process::spawn(&system, config).await.unwrap();
    assert_eq!(says.line().await, "zero one blue  /usr");
    job.wait().await.unwrap();
    system.shutdown().await;
}

#[tokio::test]
async fn what_a_configuration_does_not_say_its_manager_says() {
    let system = System::new();
    let says = Says::new();
    let defaults = ProcessConfig::default().env("A", "1").env("B", "2").env("C", "3").current_dir("/usr");
    let manager = ProcessManager::new(&system, says.heard_by(defaults));
    let script = "echo \"$A $B ${C-none} $(pwd)\" > $SAYS";
    let config = sh("job", script).env("B", "two").env_remove("C");
    let job = manager.spawn(config.clone()).await.unwrap();
    assert_eq!(says.line().await, "1 two none /usr");
    job.wait().await.unwrap();
    let job = manager.spawn(config.current_dir("/")).await.unwrap();
    assert_eq!(says.line().await, "1 two none /");
    job.wait().await.unwrap();
    let job = manager.spawn_process("seed".into(), "sh", vec!["-c".into(), "exit 4".into()]).await.unwrap();
    assert_eq!(job.wait().await.unwrap().code, Some(4));
    system.shutdown().await;
}

#[tokio::test]
async fn a_process_runs_as_another_user() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let system = System::new();
    let says = Says::new();
    let nobody = fs::read_to_string("/etc/passwd").unwrap();
    let nobody = nobody.lines().find(|line| line.starts_with("nobody:")).expect("every system has one");
    let fields: Vec<_> = nobody.split(':').collect();
    // The shell opens the pipe that it says something on before it becomes somebody else's.
    let config = |id: &str| ProcessConfig::new(id, "sh").args(["-c", "sleep 600"]);
    for (name, uid, gid, config) in [
        ("by-name", fields[2], fields[3], config("by-name").user("nobody")),
        ("by-number", fields[2], fields[3], config("by-number").user(fields[2])),
        ("other-group", fields[2], "0", config("other-group").user("nobody").group("root")),
    ] {
        let job = Process::spawn(&system, config).await.unwrap();
        let status = fs::read_to_string(format!("/proc/{}/status", job.pid().unwrap())).unwrap();
        let field = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().to_owned();
        assert_eq!(field("Uid:"), [uid; 4].join("\t"), "{name}");
        assert_eq!(field("Gid:"), [gid; 4].join("\t"), "{name}");
        assert_eq!(field("Groups:"), "", "{name}");
        job.stop().await.unwrap();
    }
    drop(says);
    system.shutdown().await;
}

#[tokio::test]
async fn another_user_takes_a_privilege() {
    if rustix::process::geteuid().is_root() {
        return;
    }
    let system = System::new();
    let error = Process::spawn(&system, sh("job", "exit 0").user("root")).await.unwrap_err();
    assert!(matches!(error, dms::process::ProcessError::User { .. }), "{error:?}");
    system.shutdown().await;
}

#[derive(Debug, Deserialize)]
struct File {
    process: Vec<ProcessConfig>,
}

fn read(text: &str) -> Result<File, String> {
    // A file of any format is read alike.
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn a_file_is_a_list_of_processes() {
    let file = read(
        r#"{ "process": [{
            "id": "web", "command": "python3", "args": ["-m", "http.server"],
            "env": { "A": "1" }, "env_remove": ["B"], "env_clear": false,
            "current_dir": "/srv", "user": "www", "group": "33", "own_group": true, "parent_death_signal": true,
            "grace": "1m 30s", "depends": ["store"],
            "restart": { "policy": "on_failure", "max_restarts": 3, "within": "1m", "delay": "10ms", "longest_delay": "5s" }
        }, { "id": "job", "command": "true", "restart": "always" }] }"#,
    )
    .unwrap();
    let [web, job] = &file.process[..] else { panic!("{file:?}") };
    assert_eq!((web.id().as_str(), web.command().to_str()), ("web", Some("python3")));
    assert_eq!(web.dependencies(), ["store"]);
    assert!(format!("{web:?}").contains(&format!("{:?}", Duration::from_secs(90))), "{web:?}");
    assert!(format!("{job:?}").contains("Always"), "{job:?}");
}

#[test]
fn a_mistake_in_a_file_says_what_to_write() {
    for (settings, expected) in [
        (r#""grace": "fast""#, r#"invalid value: string "fast", expected a duration (as `"30s"` or `"1m 30s"`)"#),
        (r#""grase": "1s""#, "unknown field `grase`, expected one of `id`, `command`, `args`"),
        (
            r#""restart": "sometimes""#,
            r#"`restart` is "never", "on_failure" or "always", or a table with such a `policy`"#,
        ),
        (
            r#""restart": { "policy": "always", "often": 3 }"#,
            r#"`restart` is "never", "on_failure" or "always", or a table with such a `policy`"#,
        ),
    ] {
        let text = format!(r#"{{ "process": [{{ "id": "web", "command": "python3", {settings} }}] }}"#);
        let error = read(&text).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
    let error = read(r#"{ "process": [{ "id": "web" }] }"#).unwrap_err();
    assert!(error.starts_with("missing field `command`"), "{error}");
}
