//! The program as it is called.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn benches(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dms-benches")).args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_selection_is_measured_and_written_where_one_says() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("selection");
    let output = benches(&[
        "--quick",
        "--rounds",
        "1",
        "--contestant",
        "dms,tokio",
        "--workload",
        "ask",
        "--runtime",
        "ct",
        "--output",
        directory.to_str().expect("a path in UTF-8"),
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.contains("## Current-thread runtime"), "{printed}");
    assert!(!printed.contains("## Multi-thread runtime"), "{printed}");
    assert!(printed.contains("| ask, sequential |"), "{printed}");
    assert!(!printed.contains("kameo"), "{printed}");
    for file in ["results.json", "results.md", "current-thread-light.svg", "current-thread-dark.svg"] {
        assert!(directory.join(file).is_file(), "{file} is missing");
    }
    let written = fs::read_to_string(directory.join("results.md")).expect("the tables");
    assert_eq!(written.trim_end(), printed.trim_end());

    let again = benches(&["render", directory.to_str().expect("a path in UTF-8")]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert_eq!(text(&again.stdout), printed);
}

#[test]
fn an_unknown_contestant_is_answered_with_the_known_ones() {
    let output = benches(&["--contestant", "acotr"]);
    assert!(!output.status.success());
    let said = text(&output.stderr);
    for name in ["tokio", "dms", "dms-open", "kameo", "ractor", "actix", "xtra", "murmer"] {
        assert!(said.contains(name), "{name} is not in: {said}");
    }
}

#[test]
fn an_unknown_workload_is_answered_with_the_known_ones() {
    let output = benches(&["--workload", "tel"]);
    assert!(!output.status.success());
    let said = text(&output.stderr);
    assert!(said.contains("tell-64-bytes") && said.contains("ping-pong"), "{said}");
}

#[test]
fn what_is_not_counted_is_said() {
    let output = benches(&["child", "dms", "idle", "ct", "10"]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("does not count"), "{}", text(&output.stderr));
}
