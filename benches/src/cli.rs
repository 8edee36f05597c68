//! The command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::build_time;
use crate::child::Child;
use crate::contestant::{Flavor, Name};
use crate::report;
use crate::results::Results;
use crate::runner::Plan;
use crate::workload::Workload;

/// How often each contestant is built.
const BUILD_ROUNDS: u16 = 3;

/// dms beside other actor frameworks and a hand-written Tokio actor.
#[derive(Debug, Parser)]
#[command(name = "dms-benches", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    selection: Selection,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures only how long a clean release build of a minimal program takes.
    Build(BuildSelection),
    /// Writes tables and plots of a `results.json` again.
    Render {
        /// Where it is, and where they go.
        directory: PathBuf,
    },
    /// Makes one measurement, in a process of its own.
    #[command(hide = true)]
    Child(Child),
}

/// What to build.
#[derive(Clone, Debug, Args)]
struct BuildSelection {
    /// Only these contestants.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    contestant: Vec<Name>,
    /// How often each is built.
    #[arg(long, default_value_t = BUILD_ROUNDS, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Where to write the results: `benches/target/results` without this.
    #[arg(long, value_name = "DIRECTORY")]
    output: Option<PathBuf>,
}

/// What to measure: everything, unless something is selected.
#[derive(Clone, Debug, Args)]
struct Selection {
    /// Only these contestants.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    contestant: Vec<Name>,
    /// Only these workloads.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    workload: Vec<Workload>,
    /// Only this runtime: multi-thread with two workers, or current-thread.
    #[arg(long)]
    runtime: Option<Flavor>,
    /// How often everything is measured: 5 times, or 3 times with `--quick`.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// A tenth of the operations: to see that it works, not to quote.
    #[arg(long)]
    quick: bool,
    /// Where to write the results: `benches/results` for a full run, `benches/target/results` for any other.
    #[arg(long, value_name = "DIRECTORY")]
    output: Option<PathBuf>,
}

impl Selection {
    /// A run whose results may replace the published ones.
    fn is_full(&self) -> bool {
        self.contestant.is_empty()
            && self.workload.is_empty()
            && self.runtime.is_none()
            && !self.quick
            && self.rounds.is_none_or(|rounds| rounds >= 5)
    }

    fn plan(&self) -> Plan {
        Plan {
            contestants: chosen(&self.contestant),
            workloads: chosen(&self.workload),
            flavors: self.runtime.map_or_else(|| vec![Flavor::Mt, Flavor::Ct], |flavor| vec![flavor]),
            rounds: usize::from(self.rounds.unwrap_or(if self.quick { 3 } else { 5 })),
            divisor: if self.quick { 10 } else { 1 },
        }
    }

    fn directory(&self) -> PathBuf {
        let published = || Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
        self.output.clone().unwrap_or_else(|| if self.is_full() { published() } else { unpublished() })
    }
}

/// Where the results go of a run that is not a full one.
fn unpublished() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/results")
}

/// What was chosen, in the order of the declaration; everything if nothing was.
fn chosen<T: ValueEnum + PartialEq>(chosen: &[T]) -> Vec<T> {
    T::value_variants().iter().filter(|one| chosen.is_empty() || chosen.contains(one)).cloned().collect()
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let Cli { command, selection } = Cli::parse();
    let outcome = match command {
        None => run(&selection),
        Some(Command::Build(selection)) => build(&selection),
        Some(Command::Render { directory }) => report::read(&directory).and_then(|results| show(&results, &directory)),
        Some(Command::Child(child)) => child.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(selection: &Selection) -> Result<(), String> {
    let plan = selection.plan();
    let measurements = plan.run()?;
    let full = selection.is_full();
    let builds = if full { build_time::measure(&plan.contestants, BUILD_ROUNDS.into())? } else { Vec::new() };
    let results = Results::new(command_line(), plan.rounds, plan.divisor, measurements, builds);
    show(&results, &selection.directory())
}

fn build(selection: &BuildSelection) -> Result<(), String> {
    let rounds = selection.rounds.into();
    let builds = build_time::measure(&chosen(&selection.contestant), rounds)?;
    let results = Results::new(command_line(), rounds, 1, Vec::new(), builds);
    show(&results, &selection.output.clone().unwrap_or_else(unpublished))
}

/// Writes the results, and prints the tables. What failed is an error, but only after that.
fn show(results: &Results, directory: &Path) -> Result<(), String> {
    report::write(results, directory)?;
    println!("{}", report::markdown(results).trim_end());
    eprintln!("written to {}", directory.display());
    match results.failures().as_slice() {
        [] => Ok(()),
        failures => Err(failures.join("\nerror: ")),
    }
}

/// What to type for the same run.
fn command_line() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut command = "cargo run --release --manifest-path benches/Cargo.toml".to_owned();
    if !arguments.is_empty() {
        command = format!("{command} -- {}", arguments.join(" "));
    }
    command
}
