//! The programs that children run: all of the same code, with another allocator or with one more contestant.

use std::env::{consts::EXE_SUFFIX, current_exe, var_os};
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
        let this = current_exe().map_err(|error| format!("this program cannot be found: {error}"))?;
        let directory = this.parent().ok_or("this program is in no directory")?.to_owned();
        let programs = Self { directory };
        let mut built = vec![Program { counting: false, murmer: false }];
        for (contestant, workload) in jobs {
            let program = Program::of(contestant, workload);
            if !built.contains(&program) {
                programs.build(program)?;
                built.push(program);
            }
        }
        Ok(programs)
    }

    /// The program for a measurement.
    pub(crate) fn path(&self, contestant: Name, workload: Workload) -> PathBuf {
        self.directory.join(format!("{}{EXE_SUFFIX}", Program::of(contestant, workload).name()))
    }

    /// Has Cargo build a program, as this one was built.
    fn build(&self, program: Program) -> Result<(), String> {
        let target = self.directory.parent().ok_or("this program is not in a target directory")?;
        let mut cargo = Command::new(var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--bin", program.name(), "--manifest-path"]);
        cargo.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).arg("--target-dir").arg(target);
        if program.murmer {
            cargo.args(["--features", "murmer"]);
        }
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        match cargo.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("building the program `{}`: {status}", program.name())),
            Err(error) => Err(format!("building the program `{}`: {error}", program.name())),
        }
    }
}
