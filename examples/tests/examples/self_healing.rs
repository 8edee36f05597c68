//! `self_healing` is held to its header, to what its keys do, and to what it draws on a terminal.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

const PROGRAM: &str = env!("CARGO_BIN_EXE_self_healing");

/// A run whose keys and whose news go through pipes.
struct Run {
    child: Child,
    keys: Option<ChildStdin>,
    /// What it has printed so far.
    printed: String,
}

impl Run {
    fn new() -> Self {
        let mut command = Command::new(PROGRAM);
        // What does not come ends the test, and does not hold it up.
        let command =
            command.args(["--seconds", "60"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let keys = child.stdin.take();
        Self { child, keys, printed: String::new() }
    }

    fn press(&mut self, keys: &str) {
        self.keys.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Reads on until `wanted` has been printed in one line.
    fn read_until(&mut self, wanted: &[&str]) {
        let mut output = BufReader::with_capacity(1, self.child.stdout.as_mut().unwrap());
        loop {
            let begin = self.printed.len();
            let is_over = output.read_line(&mut self.printed).unwrap() == 0;
            assert!(!is_over, "no {wanted:?} in\n{}", self.printed);
            if wanted.iter().all(|wanted| self.printed[begin..].contains(wanted)) {
                return;
            }
        }
    }

    /// Everything that was printed, what went wrong, and the exit code.
    fn end(mut self) -> (String, String, Option<i32>) {
        let mut output = self.child.stdout.take().unwrap();
        output.read_to_string(&mut self.printed).unwrap();
        drop(self.keys.take());
        let output = self.child.wait_with_output().unwrap();
        (self.printed, String::from_utf8(output.stderr).unwrap(), output.status.code())
    }
}

#[test]
fn prints_what_its_header_says() {
    let source = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin/self_healing/main.rs")).unwrap();
    assert!(source.contains("//! cargo run --release -p dms-examples --bin self_healing -- [--seconds N]"));
    let mut run = Run::new();
    run.press("p");
    run.read_until(&["oven: its supervisor starts it again with `mill`, which failed"]);
    run.press("q");
    let (printed, errors, code) = run.end();
    crate::header::check(&source, &printed);
    assert_eq!((errors.as_str(), code), ("", Some(0)));
}

#[test]
fn a_station_that_fails_too_often_has_its_supervisor_begin_again() {
    let mut run = Run::new();
    run.press("4pppppp");
    run.read_until(&["till: panicked in `panic`", "has ended"]);
    run.read_until(&["shop: child `till` failed for good"]);
    run.press("q");
    let (printed, _, code) = run.end();
    assert_eq!(code, Some(0), "{printed}");
    let (news, _tree) = printed.split_once(" handled ").unwrap();
    assert_eq!(news.matches("till: panicked in `panic`").count(), 6, "{printed}");
    assert!(!printed.contains("bakery:"), "its sibling has nothing to do with it: {printed}");
}

#[test]
fn a_station_that_hangs_is_found_out_by_its_health_checks_and_started_again() {
    let mut run = Run::new();
    run.press("4h");
    run.read_until(&["till: degraded: no answer", "`hang` runs"]);
    run.read_until(&["till: failed 3 health checks in a row", "again in"]);
    run.press("q");
    let (printed, _, code) = run.end();
    assert_eq!(code, Some(0), "{printed}");
}

#[test]
fn a_reload_is_no_failure() {
    let mut run = Run::new();
    run.press("5r");
    run.read_until(&["scales: reloaded, with a pause of"]);
    run.press("q");
    let (printed, _, code) = run.end();
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains(" 0 failures"), "{printed}");
    let scales =
        printed.lines().find(|line| line.trim_start().trim_start_matches("> ").trim_start().starts_with("scales  "));
    assert!(scales.is_some_and(|scales| scales.contains("healthy         2       0/5")), "{printed}");
}

#[test]
fn wrong_arguments_are_told() {
    for (arguments, told) in [
        (&["--minutes"][..], "unknown argument `--minutes`"),
        (&["--seconds"], "`--seconds` wants a number"),
        (&["--seconds", "-1"], "`--seconds -1`"),
        (&["--seconds", "soon"], "`--seconds soon`"),
    ] {
        let output = Command::new(PROGRAM).args(arguments).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(errors.contains(told), "{errors}");
    }
}

#[test]
fn on_a_terminal_it_draws_the_tree_and_leaves_the_terminal_as_it_was() {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let name = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    let slave = || OpenOptions::new().read(true).write(true).open(name).unwrap();
    let before = rustix::termios::tcgetattr(slave()).unwrap();
    let mut command = Command::new(PROGRAM);
    command.stdin(OwnedFd::from(slave())).stdout(OwnedFd::from(slave())).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Its ends of the terminal are its own.
    drop(command);

    let mut terminal = File::from(master);
    let keys = terminal.try_clone().unwrap();
    let mut drawn = String::new();
    let mut read_until = |wanted: &str| {
        let (mut bytes, from) = ([0; 4096], drawn.len());
        while !drawn[from..].contains(wanted) {
            let read = terminal.read(&mut bytes).unwrap();
            drawn.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    };
    let press = |key: &[u8]| rustix::io::write(&keys, key).unwrap();
    read_until("[q]uit");
    press(b"2");
    read_until(">   oven");
    press(b"p");
    read_until("waiting");
    read_until("oven: panicked in `panic`");
    press(b"q");
    let status = child.wait().unwrap();
    assert!(status.success());
    let after = rustix::termios::tcgetattr(slave()).unwrap();
    assert_eq!(before.local_modes, after.local_modes, "keys are read as before");
    let mut rest = vec![0; 65_536];
    let read = terminal.read(&mut rest).unwrap();
    drawn.push_str(&String::from_utf8_lossy(&rest[..read]));
    assert!(drawn.starts_with("\x1b[?1049h"), "it has a screen of its own");
    assert!(drawn.contains("\x1b[?25h\x1b[?1049l"), "and gives it back");
}
