//! What was measured, in full, and what it comes to.

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::build_time::Build;
use crate::child::name;
use crate::contestant::{Flavor, Name};
use crate::machine::{self, Machine};
use crate::statistics::{least_by_round, median, median_ratio};
use crate::workload::{Sample, Unit, Workload};

/// A whole run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    /// The day.
    pub(crate) date: String,
    /// What was called.
    pub(crate) command: String,
    /// What was measured, if it was under version control.
    pub(crate) commit: Option<String>,
    /// Where.
    pub(crate) machine: Machine,
    /// The contestants' versions.
    pub(crate) versions: BTreeMap<Name, String>,
    /// How many rounds there were.
    pub(crate) rounds: usize,
    /// By what the operations of a full measurement were divided.
    pub(crate) divisor: u64,
    /// Everything that was measured.
    pub(crate) measurements: Vec<Measurement>,
    /// How long the contestants take to compile.
    #[serde(default)]
    pub(crate) builds: Vec<Build>,
}

/// One workload on one runtime by one contestant, in all rounds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measurement {
    /// What.
    pub(crate) workload: Workload,
    /// On which runtime.
    pub(crate) runtime: Flavor,
    /// By whom.
    pub(crate) contestant: Name,
    /// What its numbers are, of one operation.
    pub(crate) unit: Unit,
    /// The median of all rounds.
    pub(crate) median: Option<f64>,
    /// The median of the ratios to the hand-written actor, round by round.
    pub(crate) to_floor: Option<f64>,
    /// The median of the ratios to the best of the established frameworks, round by round.
    pub(crate) to_best: Option<f64>,
    /// A sample for each round; nothing where there is no such thing, or where it failed.
    pub(crate) samples: Vec<Option<Sample>>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<String>,
}

impl Measurement {
    /// Nothing measured yet.
    pub(crate) fn new(workload: Workload, runtime: Flavor, contestant: Name) -> Self {
        let (samples, errors) = (Vec::new(), Vec::new());
        let unit = workload.unit();
        Self { workload, runtime, contestant, unit, median: None, to_floor: None, to_best: None, samples, errors }
    }

    /// Adds the outcome of a round.
    pub(crate) fn add(&mut self, outcome: Result<Option<Sample>, String>) {
        match outcome {
            Ok(sample) => self.samples.push(sample),
            Err(error) => {
                self.samples.push(None);
                self.errors.push(error);
            }
        }
    }

    /// The numbers round by round.
    fn values(&self) -> Vec<Option<f64>> {
        self.samples.iter().map(|sample| sample.map(|sample| sample.value)).collect()
    }

    /// The median of something else about the samples.
    pub(crate) fn median_of(&self, of: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
        median(self.samples.iter().flatten().filter_map(of))
    }
}

impl Results {
    /// What was measured now.
    pub(crate) fn new(
        command: String,
        rounds: usize,
        divisor: u64,
        measured: Vec<Measurement>,
        builds: Vec<Build>,
    ) -> Self {
        let version = |name: Name| Some((name, machine::version_of(name.package())?.to_owned()));
        let mut results = Self {
            date: machine::today(),
            command,
            commit: machine::commit(),
            machine: Machine::here(),
            versions: Name::value_variants().iter().copied().filter_map(version).collect(),
            rounds,
            divisor,
            measurements: measured,
            builds,
        };
        results.summarize();
        results
    }

    /// Computes medians and ratios.
    fn summarize(&mut self) {
        let measured = self.measurements.clone();
        for measurement in &mut self.measurements {
            let beside =
                |other: &&Measurement| (other.workload, other.runtime) == (measurement.workload, measurement.runtime);
            let values = measurement.values();
            let floor = measured.iter().filter(beside).find(|other| other.contestant == Name::FLOOR);
            let best: Vec<_> = measured
                .iter()
                .filter(beside)
                .filter(|other| other.contestant.is_established())
                .map(Measurement::values)
                .collect();
            let best = least_by_round(best.iter().map(Vec::as_slice));
            measurement.median = median(values.iter().copied().flatten());
            measurement.to_floor = floor.and_then(|floor| median_ratio(&values, &floor.values()));
            measurement.to_best = median_ratio(&values, &best);
        }
    }

    /// What was measured of a workload on a runtime by a contestant.
    pub(crate) fn of(&self, workload: Workload, runtime: Flavor, contestant: Name) -> Option<&Measurement> {
        self.measurements.iter().find(|measurement| {
            (measurement.workload, measurement.runtime, measurement.contestant) == (workload, runtime, contestant)
        })
    }

    /// The workloads that were measured on a runtime, in their order.
    pub(crate) fn workloads(&self, runtime: Flavor) -> Vec<Workload> {
        let measured = |workload: &Workload| {
            self.measurements
                .iter()
                .any(|measurement| (measurement.workload, measurement.runtime) == (*workload, runtime))
        };
        Workload::value_variants().iter().copied().filter(measured).collect()
    }

    /// Those who were measured, in their order.
    pub(crate) fn contestants(&self) -> Vec<Name> {
        let measured: Vec<Name> = self.measurements.iter().map(|measurement| measurement.contestant).collect();
        Name::value_variants().iter().copied().filter(|name| measured.contains(name)).collect()
    }

    /// What went wrong, in sentences.
    pub(crate) fn failures(&self) -> Vec<String> {
        let failure = |measurement: &Measurement| {
            let error = measurement.errors.first()?;
            let (workload, contestant) = (name(measurement.workload), name(measurement.contestant));
            let runtime = measurement.runtime;
            Some(format!(
                "{contestant}, {workload} ({runtime}): {} of {} rounds failed: {error}",
                measurement.errors.len(),
                measurement.samples.len()
            ))
        };
        self.measurements.iter().filter_map(failure).collect()
    }
}
