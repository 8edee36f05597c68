//! The programs that children run: all of the same code, with another allocator or with one more contestant.

use std::env::{consts::EXE_SUFFIX, current_exe, var_os, vars_os};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::contestant::Name;
use crate::workload::Workload;

/// A program of this package, by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Program {
    /// Its allocator counts. That takes time, more so for those who allocate more, so it is for what is not timed.
    counting: bool,
    /// murmer is in it. murmer switches on features of tokio and tracing that the others would pay for.
    murmer: bool,
}

impl Program {
    fn of(contestant: Name, workload: Workload) -> Self {
        Self { counting: workload.is_about_memory(), murmer: contestant == Name::Murmer }
    }

    fn name(self) -> &'static str {
        match (self.murmer, self.counting) {
            (false, false) => "dms-benches",
            (false, true) => "counting",
            (true, false) => "murmer",
            (true, true) => "murmer-counting",
        }
    }
}

/// Where the programs are.
#[derive(Debug)]
pub(crate) struct Programs {
    directory: PathBuf,
}

impl Programs {
    /// The programs beside this one, all that are needed built: `cargo run` builds only the one that it runs.
    pub(crate) fn for_all(jobs: impl IntoIterator<Item = (Name, Workload)>) -> Result<Self, String> {
        let mut needed: Vec<Program> = Vec::new();
        for (contestant, workload) in jobs {
            let program = Program::of(contestant, workload);
            if !needed.contains(&program) {
                needed.push(program);
            }
        }
        for murmer in [false, true] {
            let built = needed.iter().filter(|program| program.murmer == murmer).map(|program| program.name());
            build(murmer, &built.filter(|name| !is_this(name)).collect::<Vec<_>>())?;
        }
        Ok(Self { directory: directory()? })
    }

    /// The program for a measurement.
    pub(crate) fn path(&self, contestant: Name, workload: Workload) -> PathBuf {
        self.directory.join(format!("{}{EXE_SUFFIX}", Program::of(contestant, workload).name()))
    }
}

/// Has Cargo build programs, as this one was built.
fn build(murmer: bool, programs: &[&str]) -> Result<(), String> {
    if programs.is_empty() {
        return Ok(());
    }
    let mut cargo = cargo();
    cargo.args(["build", "--manifest-path"]).arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    cargo.arg("--target-dir").arg(target_directory()?);
    cargo.args(programs.iter().flat_map(|program| ["--bin", program]));
    if murmer {
        cargo.args(["--features", "murmer"]);
    }
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    match cargo.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("building {}: {status}", programs.join(" and "))),
        Err(error) => Err(format!("building {}: {error}", programs.join(" and "))),
    }
}

/// The Cargo that runs this program, or else the one in the path.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What `cargo run` says about this package is not about others: build scripts that look at it would run each time.
    for (name, _) in vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Where Cargo put this program.
fn directory() -> Result<PathBuf, String> {
    let this = current_exe().map_err(|error| format!("this program cannot be found: {error}"))?;
    Ok(this.parent().ok_or("this program is in no directory")?.to_owned())
}

/// Where Cargo puts everything.
pub(crate) fn target_directory() -> Result<PathBuf, String> {
    Ok(directory()?.parent().ok_or("this program is not in a target directory")?.to_owned())
}

/// Whether it is the program that runs.
fn is_this(program: &str) -> bool {
    current_exe().is_ok_and(|this| this.file_stem().is_some_and(|stem| stem == program))
}
