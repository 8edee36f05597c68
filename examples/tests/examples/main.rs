//! Runs every example as a process, and holds it to what its header says.

mod header;
mod paxos;
mod scheduler;
#[cfg(unix)]
mod self_healing;
#[cfg(unix)]
mod supervisor;
mod unreplicated;
#[cfg(unix)]
mod wc;
mod wordcount;

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

macro_rules! examples {
    ($($name:ident)*) => {
        /// The examples that print the same at each run, and their programs.
        const PROGRAMS: &[(&str, &str)] = &[$((stringify!($name), env!(concat!("CARGO_BIN_EXE_", stringify!($name))))),*];

        $(
            #[test]
            fn $name() {
                prints_what_its_header_says(stringify!($name), env!(concat!("CARGO_BIN_EXE_", stringify!($name))));
            }
        )*
    };
}

examples! { backpressure counter events managed paxos ping_pong processes requests ring session sessions signed testing ticker unreplicated upgrade }

fn prints_what_its_header_says(name: &str, program: &str) {
    let source = format!("{}/src/bin/{name}.rs", env!("CARGO_MANIFEST_DIR"));
    let source = fs::read_to_string(source).unwrap();
    assert!(source.contains("//! cargo run "), "the header does not say how to run it");
    assert!(source.contains(&format!("-p dms-examples --bin {name}\n")), "the header says how to run something else");

    let output = Command::new(program).output().unwrap();
    header::check(&source, &String::from_utf8(output.stdout).unwrap());
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// A process that ends with the test, or after two minutes: what waits for its output does not hang.
struct Process(Child, #[expect(dead_code, reason = "the watch ends with it")] Sender<()>);

impl Process {
    fn new(child: Child) -> Self {
        let (ends, ended) = mpsc::channel();
        let pid = child.id().to_string();
        thread::spawn(move || {
            if ended.recv_timeout(Duration::from_mins(2)) == Err(RecvTimeoutError::Timeout) {
                eprintln!("process {pid} takes too long: it is killed");
                let _ = Command::new("kill").args(["-KILL", &pid]).status();
            }
        });
        Self(child, ends)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Holds a program to what it says of wrong arguments.
fn tells(program: &str, arguments: &[&str], told: &str) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
    assert!(errors.contains(told), "{arguments:?}: {errors}");
    assert!(errors.contains("\nusage: "), "{errors}");
}

#[test]
fn those_that_say_so_are_what_the_readme_shows() {
    for header in [
        include_str!("../../src/bin/managed.rs"),
        include_str!("../../src/bin/processes.rs"),
        include_str!("../../src/bin/sessions.rs"),
        include_str!("../../src/bin/signed.rs"),
        include_str!("../../src/bin/upgrade.rs"),
    ] {
        is_what_the_readme_shows(header);
    }
}

fn is_what_the_readme_shows(header: &str) {
    let readme = include_str!("../../../README.md");
    let program = &header[header.find("\nuse ").unwrap()..];
    let output = header.lines().skip_while(|line| *line != "//! ```text").take_while(|line| line.starts_with("//!"));
    let output: String = output.flat_map(|line| [line.trim_start_matches("//!").trim_start(), "\n"]).collect();
    assert!(readme.contains(&format!("```rust{program}```\n")), "the README has another program");
    assert!(readme.contains(&output), "the README shows another output");
}

#[test]
fn every_example_is_run_here() {
    let bin = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin");
    let mut found: Vec<_> = fs::read_dir(bin)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    found.sort();
    let mut run: Vec<_> = PROGRAMS
        .iter()
        .map(|(name, _)| *name)
        .chain(["scheduler", "self_healing", "supervisor", "wordcount"])
        .collect();
    run.sort_unstable();
    assert_eq!(found, run);
}
