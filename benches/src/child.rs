//! One measurement in a process of its own, so that none inherits anything from another.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::thread;
use std::time::Duration;

use clap::Args;

use crate::contestant::{Flavor, Name};
use crate::workload::{Job, Sample, Unit, Workload};

/// How long a measurement may take before it is given up.
const LIMIT: Duration = Duration::from_secs(120);

/// What a child is told to measure.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Child {
    /// Who.
    pub(crate) contestant: Name,
    /// What.
    pub(crate) workload: Workload,
    /// On which runtime.
    pub(crate) flavor: Flavor,
    /// With how many operations.
    pub(crate) operations: u64,
}

impl Child {
    /// In the child: measures, and prints the sample. `null` if the contestant has no such thing.
    pub(crate) fn run(self) -> Result<(), String> {
        give_up_after(LIMIT);
        let Self { contestant, workload, flavor, operations } = self;
        let sample = contestant.perform(Job { workload, flavor, operations })?;
        println!("{}", serde_json::to_string(&sample).map_err(|error| error.to_string())?);
        Ok(())
    }

    /// In the parent: starts the child, and waits for its sample.
    pub(crate) fn measure(self, programs: &Programs) -> Result<Option<Sample>, String> {
        let output = Command::new(programs.of(self.workload))
            .arg("child")
            .args([name(self.contestant), name(self.workload), name(self.flavor), self.operations.to_string()])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("the child cannot be started: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}: {}", output.status, said.trim()));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| format!("the child's sample cannot be read: {error}"))
    }
}

/// What the command line calls it.
pub(crate) fn name(value: impl clap::ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Ends the process after a while, whatever it is doing: a message that was lost must not hold up all others.
fn give_up_after(limit: Duration) {
    thread::spawn(move || {
        thread::sleep(limit);
        eprintln!("not finished after {} s", limit.as_secs());
        process::exit(3);
    });
}

/// The two programs that children run.
#[derive(Debug)]
pub(crate) struct Programs {
    timed: PathBuf,
    counting: PathBuf,
}

impl Programs {
    /// This program, and the one beside it whose allocator counts.
    pub(crate) fn here() -> io::Result<Self> {
        let timed = std::env::current_exe()?;
        let counting = timed.with_file_name(format!("counting{}", std::env::consts::EXE_SUFFIX));
        Ok(Self { timed, counting })
    }

    fn of(&self, workload: Workload) -> &Path {
        match workload.unit() {
            Unit::Nanoseconds | Unit::CpuNanoseconds => &self.timed,
            Unit::Bytes | Unit::Allocations => &self.counting,
        }
    }

    /// Has Cargo build the counting program, as this one was built. `cargo run` builds only the program it runs.
    pub(crate) fn build_counting(&self) -> Result<(), String> {
        let directory = self.timed.ancestors().nth(2).ok_or("this program is not in a target directory")?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--bin", "counting", "--manifest-path"]);
        cargo.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).arg("--target-dir").arg(directory);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        match cargo.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("building the counting program: {status}")),
            Err(error) => Err(format!("building the counting program: {error}")),
        }
    }
}
