//! Real processes, and ways to hear of them without waiting by the clock.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

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
}

impl Says {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("says");
        mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        Self { _folder: folder, path }
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
        let path = self.path.clone();
        let read = move || {
            let mut line = String::new();
            BufReader::new(File::open(path).unwrap()).read_line(&mut line).unwrap();
            line.trim().to_owned()
        };
        tokio::task::spawn_blocking(read).await.unwrap()
    }

    /// Waits until it says a number.
    pub(crate) async fn number(&self) -> u32 {
        self.line().await.parse().unwrap()
    }
}

/// Whether the process runs: it is there, and no zombie.
pub(crate) fn lives(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    !matches!(state, Some('Z' | 'X') | None)
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
