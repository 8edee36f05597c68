//! Real processes, and ways to hear of them without waiting by the clock.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dms::process::ProcessConfig;
use dms::recovery::{Backoff, Restart};
use rustix::fs::{CWD, FileType, Mode, mknodat};

/// A process that runs a script.
pub(crate) fn sh(id: &str, script: &str) -> ProcessConfig {
    ProcessConfig::new(id, "sh").args(["-c", script])
}

/// With hardly any delay.
pub(crate) fn soon(restart: Restart) -> Restart {
    restart.backoff(Backoff::new(Duration::from_millis(1), Duration::from_millis(1)))
}

/// A named pipe on which a process says what it has come to: in a script, `echo ready > $SAYS`.
pub(crate) struct Says {
    _folder: tempfile::TempDir,
    path: PathBuf,
    heard: Arc<Heard>,
}

/// The end at which the test listens. It is open from the first time on, and for writing too: what is said while nobody listens is not lost, and there is no end before the next line.
type Heard = Mutex<Option<BufReader<File>>>;

impl Says {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("says");
        mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        Self { _folder: folder, path, heard: Arc::default() }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the process the path of the pipe.
    pub(crate) fn heard_by(&self, config: ProcessConfig) -> ProcessConfig {
        config.env("SAYS", &self.path)
    }

    /// Waits until it says something.
    pub(crate) async fn line(&self) -> String {
        let (path, heard) = (self.path.clone(), Arc::clone(&self.heard));
        tokio::task::spawn_blocking(move || read_line(&path, &heard)).await.unwrap()
    }

    /// The other way round: waits until it listens, and tells it something.
    pub(crate) async fn tell(&self, line: &str) {
        let (path, line) = (self.path.clone(), format!("{line}\n"));
        tokio::task::spawn_blocking(move || fs::write(path, line).unwrap()).await.unwrap();
    }

    /// Blocks until it says something.
    pub(crate) fn blocking_line(&self) -> String {
        read_line(&self.path, &self.heard)
    }

    /// Waits until it says a number.
    pub(crate) async fn number(&self) -> u32 {
        self.line().await.parse().unwrap()
    }
}

/// Whether the process runs: it is there, and no zombie.
pub(crate) fn lives(pid: u32) -> bool {
    state_of(pid).is_some_and(|state| state != 'Z' && state != 'X')
}

fn read_line(path: &Path, heard: &Heard) -> String {
    let mut heard = heard.lock().unwrap();
    let reader =
        heard.get_or_insert_with(|| BufReader::new(File::options().read(true).write(true).open(path).unwrap()));
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    line.trim().to_owned()
}

/// The letter of a process's state in `/proc`; `None` where it is not there.
pub(crate) fn state_of(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

/// Waits until the process is in a state: what it was sent takes a moment.
pub(crate) async fn comes_to(pid: u32, state: char) {
    until(|| state_of(pid) == Some(state), &format!("process {pid} in state {state}")).await;
}

/// Waits until the process does not run: what was killed takes a moment.
pub(crate) async fn gone(pid: u32) {
    until(|| !lives(pid), &format!("the end of process {pid}")).await;
}

/// Looks again and again, for ten seconds: the machine may be busy.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool, what: &str) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what} does not come");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Measures up to three times, until it took no longer than that: other tests run beside this one.
pub(crate) async fn takes_at_most(bound: Duration, mut measure: impl AsyncFnMut() -> Duration) {
    let mut took = Vec::new();
    for _ in 0..3 {
        took.push(measure().await);
        if took.last().is_some_and(|took| *took <= bound) {
            return;
        }
    }
    panic!("it took {took:?} and is to take {bound:?} at most");
}

/// Runs `body` in a program of its own, which is this test alone: so that what is measured of the program is the test's.
pub(crate) fn alone(test: &str, body: impl Future<Output = ()>) {
    const ALONE: &str = "DMS_TEST_ALONE";
    if env::var_os(ALONE).is_some() {
        return tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(body);
    }
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command.args(["--exact", test, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
