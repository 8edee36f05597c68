//! The results as tables, in Markdown.

use std::fmt::Write as _;

use crate::contestant::Flavor;
use crate::results::{Measurement, Results};
use crate::workload::{Unit, Workload};

/// All tables, and what they are about.
pub(crate) fn markdown(results: &Results) -> String {
    let mut text = String::new();
    for runtime in [Flavor::Mt, Flavor::Ct] {
        let workloads: Vec<_> = results.workloads(runtime).into_iter().filter(|workload| is_ratio(*workload)).collect();
        if !workloads.is_empty() {
            let title = match runtime {
                Flavor::Mt => "Multi-thread runtime, 2 workers",
                Flavor::Ct => "Current-thread runtime",
            };
            let _ = writeln!(text, "## {title}\n");
            ratios(&mut text, results, runtime, &workloads);
        }
    }
    for workload in results.workloads(Flavor::Ct).into_iter().filter(|workload| !is_ratio(*workload)) {
        ratios(&mut text, results, Flavor::Ct, &[workload]);
    }
    text
}

fn is_ratio(workload: Workload) -> bool {
    matches!(workload.unit(), Unit::Nanoseconds | Unit::CpuNanoseconds)
}

fn ratios(text: &mut String, results: &Results, runtime: Flavor, workloads: &[Workload]) {
    let contestants = results.contestants();
    for workload in workloads {
        let cells: Vec<String> =
            contestants.iter().map(|contestant| cell(results.of(*workload, runtime, *contestant))).collect();
        let _ = writeln!(text, "| {} | {} |", workload.title(), cells.join(" | "));
    }
}

fn cell(measurement: Option<&Measurement>) -> String {
    let Some(measurement) = measurement else { return String::new() };
    match (measurement.median, measurement.to_floor) {
        (Some(median), Some(ratio)) => format!("{ratio:.2} ({median:.0})"),
        (Some(median), None) => format!("{median:.1}"),
        _ => "none".to_owned(),
    }
}
