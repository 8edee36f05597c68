//! scheduler is held to its header, to fair turns, and to what it makes of its configuration and of a shortage of memory.

use std::fs;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_scheduler");

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments);
    command
}

/// What a run printed, taken apart.
struct Printed {
    stdout: String,
    stderr: String,
    code: Option<i32>,
}

impl Printed {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code() }
    }

    /// What each worker ran, a letter a slice.
    fn lanes(&self) -> Vec<&str> {
        self.stdout.lines().filter_map(|line| line.strip_prefix("worker-")?.split_whitespace().nth(1)).collect()
    }

    /// The columns of a job's row, behind its letter and its name.
    fn job(&self, name: &str) -> Vec<&str> {
        let rows = self.stdout.lines().filter(|line| line.as_bytes().get(1..3) == Some(b"  "));
        let mut rows = rows.map(|line| line.split_whitespace().skip(1));
        let row = rows.find_map(|mut row| (row.next() == Some(name)).then_some(row));
        row.unwrap_or_else(|| panic!("no job `{name}` in\n{}\n{}", self.stdout, self.stderr)).collect()
    }

    fn states(&self, names: &[&str]) -> Vec<&str> {
        names.iter().map(|name| self.job(name)[2]).collect()
    }
}

fn run(arguments: &[&str]) -> Printed {
    Printed::of(command(arguments).output().unwrap())
}

fn config(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn prints_what_its_header_says() {
    let source = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin/scheduler/main.rs")).unwrap();
    assert!(source.contains("//! cargo run --release -p dms-examples --bin scheduler -- [--config FILE]"));
    let printed = run(&[]);
    crate::header::check(&source, &printed.stdout);
    assert_eq!((printed.stderr.as_str(), printed.code), ("", Some(0)));
}

#[test]
fn every_job_that_is_ready_has_its_turn_before_any_has_its_next() {
    let file = config("[scheduler]\nquantum_ms = 0\nworkers = 1\n");
    let path = file.path().to_str().unwrap();
    let printed = run(&["--config", path, "a=10_000", "b=10_000", "c=10_000"]);
    let lane = printed.lanes()[0];
    // Which jobs have come when the first slices are over is left to chance, so the rounds are looked for behind them.
    let (_, rounds) = lane.split_once('c').unwrap();
    for (number, round) in rounds.as_bytes().chunks_exact(3).take(10).enumerate() {
        let mut round = round.to_vec();
        round.sort_unstable();
        assert_eq!(round, b"abc", "round {number} of {lane}");
    }
    assert_eq!(printed.job("a")[..3], ["10000", "1229", "done"]);
}

#[test]
fn the_quantum_is_what_the_file_says_and_the_environment_overrides_it() {
    let file = config("[scheduler]\nquantum_ms = 0\nworkers = 1\n");
    let arguments = ["--config", file.path().to_str().unwrap(), "a=1000", "b=1000"];
    assert!(run(&arguments).lanes()[0].len() > 2);
    let overridden = command(&arguments).env("JOBS_SCHEDULER__QUANTUM_MS", "600000").output().unwrap();
    assert_eq!(Printed::of(overridden).lanes(), ["ab"]);
}

#[test]
fn a_wrong_setting_is_named_with_its_place() {
    let file = config("[scheduler]\nquantum_ms = \"soon\"\n");
    let path = file.path().to_str().unwrap();
    let printed = run(&["--config", path]);
    assert_eq!(printed.code, Some(1));
    for part in ["scheduler.quantum_ms", "soon", path, "line 2"] {
        assert!(printed.stderr.contains(part), "no `{part}` in\n{}", printed.stderr);
    }
    let file = config("[scheduler]\nworkers = 0\n");
    let printed = run(&["--config", file.path().to_str().unwrap()]);
    assert_eq!(printed.code, Some(1));
    assert!(printed.stderr.contains("`scheduler.workers` is 0"), "{}", printed.stderr);
}

#[test]
fn wrong_arguments_are_told() {
    for (arguments, told) in [
        (&["--quantum"][..], "unknown argument `--quantum`"),
        (&["--config"], "`--config` wants a FILE"),
        (&["a"], "`a` is no job"),
    ] {
        let printed = run(arguments);
        assert_eq!(printed.code, Some(2));
        assert!(printed.stderr.contains(told), "{}", printed.stderr);
    }
}

#[test]
fn under_memory_pressure_it_sheds_what_has_not_begun_and_takes_nothing_new() {
    // Slices that outlast the drill: the first two jobs have begun, the others have not.
    let output = command(&["--drill", "a=200000", "b=200000", "c=1000", "d=1000"])
        .env("JOBS_SCHEDULER__QUANTUM_MS", "600000")
        .output()
        .unwrap();
    let printed = Printed::of(output);
    assert_eq!(
        printed.states(&["a", "b", "c", "d", "george", "hanna"]),
        ["done", "done", "shed", "shed", "refused", "done"]
    );
    assert!(printed.stdout.contains("\ngeorge is refused: memory pressure is critical\n"), "{}", printed.stdout);
    assert!(
        printed.stdout.contains("\"refused\":1,\"shed\":2,\"lost\":0,\"pressure\":\"none\"}"),
        "{}",
        printed.stdout
    );
    assert_eq!(printed.code, Some(0));
}

#[cfg(unix)]
mod on_unix {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Child, Stdio};
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::*;

    /// A run that is spoken to while it lasts; it is killed if the test fails.
    struct Running {
        child: Child,
        stdout: Receiver<String>,
        stderr: Receiver<String>,
    }

    impl Running {
        fn of(mut command: Command) -> Self {
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let (stdout, stderr) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
            Self { child, stdout, stderr }
        }

        fn signal(&self, name: &str) {
            let id = self.child.id().to_string();
            assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.child.kill();
        }
    }

    fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            BufReader::new(from).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        receiver
    }

    fn next(lines: &Receiver<String>) -> String {
        lines.recv_timeout(Duration::from_mins(1)).expect("a line within a minute")
    }

    #[test]
    fn reads_its_quantum_again_at_sighup_and_prints_what_ran_at_ctrl_c() {
        let file = config("[scheduler]\nquantum_ms = 1\n");
        let mut running =
            Running::of(command(&["--config", file.path().to_str().unwrap(), "endless=1_000_000_000_000"]));
        let status = next(&running.stdout);
        assert!(status.starts_with("status: "), "{status}");

        fs::write(file.path(), "[scheduler]\nquantum_ms = 600000\n").unwrap();
        running.signal("-HUP");
        let told = next(&running.stderr);
        assert!(told.starts_with("scheduler: read the configuration again: {\"quantum_ms\":600000,"), "{told}");

        for (wrong, why) in [("[scheduler\n", "line 1"), ("[scheduler]\nquantum = 1\n", "quantum")] {
            fs::write(file.path(), wrong).unwrap();
            running.signal("-HUP");
            let told = next(&running.stderr);
            assert!(told.starts_with("scheduler: the configuration stays as it was: "), "{told}");
            assert!(told.contains(why), "{told}");
        }

        // In the midst of a slice of ten minutes.
        running.signal("-INT");
        let stdout = running.stdout.iter().collect::<Vec<_>>().join("\n");
        let code = running.child.wait().unwrap().code();
        let printed = Printed { stdout, stderr: String::new(), code };
        assert_eq!((printed.states(&["endless"]), printed.code), (vec!["running"], Some(130)), "{}", printed.stdout);
    }
}
