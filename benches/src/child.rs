//! One measurement in a process of its own, so that none inherits anything from another.

use std::process::{self, Command, Stdio};
use std::thread;
use std::time::Duration;

use clap::Args;

use crate::contestant::{Flavor, Name};
use crate::program::Programs;
use crate::workload::{Job, Sample, Workload};

/// How long a measurement may take before it is given up.
const LIMIT: Duration = Duration::from_mins(2);

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
        let output = Command::new(programs.path(self.contestant, self.workload))
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
pub(crate) fn name(value: impl clap::ValueEnum + Copy) -> String {
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
