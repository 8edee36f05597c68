//! All measurements, in rounds: what disturbs one contestant for a while disturbs the others as well.

use crate::child::{Child, name};
use crate::contestant::{Flavor, Name};
use crate::program::Programs;
use crate::progress::Progress;
use crate::results::Measurement;
use crate::workload::Workload;

/// What is to be measured.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Who.
    pub(crate) contestants: Vec<Name>,
    /// What.
    pub(crate) workloads: Vec<Workload>,
    /// On which runtimes, where the workload has them.
    pub(crate) flavors: Vec<Flavor>,
    /// How often.
    pub(crate) rounds: usize,
    /// By what the operations of a full measurement are divided.
    pub(crate) divisor: u64,
}

impl Plan {
    /// Each workload on each of its runtimes.
    fn cells(&self) -> Vec<(Workload, Flavor)> {
        let flavors = |workload: &Workload| {
            let workload = *workload;
            workload
                .flavors()
                .iter()
                .filter(|flavor| self.flavors.contains(flavor))
                .map(move |flavor| (workload, *flavor))
        };
        self.workloads.iter().flat_map(flavors).collect()
    }

    /// Measures round by round, workload by workload, one contestant after the other; who begins changes each round.
    pub(crate) fn run(&self) -> Result<Vec<Measurement>, String> {
        let cells = self.cells();
        let jobs = cells.iter().flat_map(|(workload, _)| self.contestants.iter().map(|name| (*name, *workload)));
        let programs = Programs::for_all(jobs)?;
        let mut measurements: Vec<Measurement> = cells
            .iter()
            .flat_map(|(workload, flavor)| {
                self.contestants.iter().map(|contestant| Measurement::new(*workload, *flavor, *contestant))
            })
            .collect();
        let mut progress = Progress::new(self.rounds * measurements.len());
        for round in 0..self.rounds {
            for (index, (workload, flavor)) in cells.iter().enumerate() {
                let row = &mut measurements[index * self.contestants.len()..][..self.contestants.len()];
                let first = round % self.contestants.len();
                for column in (first..row.len()).chain(0..first) {
                    let contestant = self.contestants[column];
                    progress.say(&format!(
                        "round {} of {}: {} ({flavor}), {}",
                        round + 1,
                        self.rounds,
                        name(*workload),
                        name(contestant),
                    ));
                    let operations = (workload.operations() / self.divisor).max(1);
                    let child = Child { contestant, workload: *workload, flavor: *flavor, operations };
                    let outcome = child.measure(&programs);
                    if let Err(error) = &outcome {
                        progress.warn(&format!("{} ({flavor}), {}: {error}", name(*workload), name(contestant)));
                    }
                    row[column].add(outcome);
                    progress.step();
                }
            }
        }
        progress.end("all measured");
        Ok(measurements)
    }
}
