//! The results as tables, in Markdown.

use std::fmt::Write as _;

use super::number;
use crate::contestant::{Flavor, Name};
use crate::results::{Measurement, Results};
use crate::workload::{Sample, Unit, Workload, as_float};

/// What marks a cell about which there is more to say below the table.
const MARK: &str = "\\*";

/// All tables, and where and when it was measured.
pub(crate) fn markdown(results: &Results) -> String {
    let mut text = heading(results);
    for runtime in [Flavor::Mt, Flavor::Ct] {
        ratios(&mut text, results, runtime);
    }
    latencies(&mut text, results);
    memory(&mut text, results);
    builds(&mut text, results);
    failures(&mut text, results);
    text
}

fn heading(results: &Results) -> String {
    let Results { date, command, commit, machine, rounds, divisor, .. } = results;
    let commit = commit.as_ref().map_or_else(String::new, |commit| format!(", commit {commit}"));
    let part = if *divisor == 1 { String::new() } else { format!(", 1/{divisor} of the operations") };
    let rounds = if *rounds == 1 { "1 round".to_owned() } else { format!("{rounds} rounds") };
    let took_part = |contestant: &Name| {
        results.contestants().contains(contestant) || results.builds.iter().any(|build| build.contestant == *contestant)
    };
    let mut versions: Vec<String> = results
        .versions
        .iter()
        .filter(|(contestant, _)| took_part(contestant))
        .map(|(contestant, version)| format!("{} {version}", contestant.package()))
        .collect();
    // Two contestants are of dms.
    versions.dedup();
    format!(
        "# Results\n\n{date}{commit}; {}, {} cores; {}; {}; {}; {rounds}{part}.\n\n```sh\n{command}\n```\n\n",
        machine.cpu,
        machine.cores,
        machine.system,
        machine.rustc,
        versions.join(", "),
    )
}

/// Writes the rows of a table: first the head, then the rest.
fn table(text: &mut String, rows: &[Vec<String>]) {
    for (index, row) in rows.iter().enumerate() {
        let _ = writeln!(text, "| {} |", row.join(" | "));
        if index == 0 {
            let _ = writeln!(text, "|--|{}", "--:|".repeat(row.len() - 1));
        }
    }
    text.push('\n');
}

/// What is timed: times of the hand-written actor, and everybody's ratios to it.
fn ratios(text: &mut String, results: &Results, runtime: Flavor) {
    let workloads = results.workloads(runtime).into_iter().filter(|workload| !workload.is_about_memory());
    let workloads: Vec<_> = workloads.collect();
    if workloads.is_empty() {
        return;
    }
    let all = results.contestants();
    let others: Vec<Name> = all.iter().copied().filter(|contestant| *contestant != Name::FLOOR).collect();
    let has_floor = others.len() < all.len();
    let has_best = all.contains(&Name::Dms) && all.iter().any(|contestant| contestant.is_established());
    let _ = writeln!(text, "## {}\n", runtime.title());

    let mut head = vec![if has_floor { "ratio to the hand-written actor" } else { "nanoseconds" }.to_owned()];
    if has_floor {
        head.push("by hand, ns".to_owned());
    }
    head.extend(others.iter().map(|contestant| contestant.title().to_owned()));
    if has_best {
        head.push("dms to the best".to_owned());
    }
    let mut rows = vec![head];
    let mut notes = Vec::new();
    for workload in workloads {
        let of = |contestant| results.of(workload, runtime, contestant);
        let mut row = vec![workload.title().to_owned()];
        if has_floor {
            row.push(of(Name::FLOOR).and_then(|floor| floor.median).map_or_else(failed, number));
        }
        for contestant in &others {
            let Some(measurement) = of(*contestant) else { continue };
            let note = note(measurement);
            let mark = if note.is_some() { MARK } else { "" };
            row.push(cell(measurement, if has_floor { measurement.to_floor } else { measurement.median }) + mark);
            notes.extend(note.map(|note| format!("{}, {}: {note}", contestant.title(), workload.title())));
        }
        if has_best {
            row.push(of(Name::Dms).and_then(|dms| dms.to_best).map_or_else(String::new, number));
        }
        rows.push(row);
    }
    table(text, &rows);
    for note in notes {
        let _ = writeln!(text, "- {MARK} {note}");
    }
    if !text.ends_with("\n\n") {
        text.push('\n');
    }
}

/// A number, or why there is none.
fn cell(measurement: &Measurement, value: Option<f64>) -> String {
    match value {
        Some(value) => number(value),
        None if measurement.errors.is_empty() => "none".to_owned(),
        None => failed(),
    }
}

fn failed() -> String {
    "failed".to_owned()
}

/// What should be known about a measurement beside its number.
fn note(measurement: &Measurement) -> Option<String> {
    let share = |of: &dyn Fn(&Sample) -> Option<f64>| measurement.median_of(of);
    let out_of_order = share(&|sample| Some(as_float(sample.out_of_order) / as_float(sample.operations)));
    if let Some(part) = out_of_order.filter(|part| *part > 0.0) {
        return Some(format!("{:.0} % of the messages came after a later one of the same producer", part * 100.0));
    }
    let kept_up = share(&|sample| sample.kept_up)?;
    (kept_up < 0.95).then(|| format!("only {:.0} % of the ticks came", kept_up * 100.0))
}

/// How long single asks took.
fn latencies(text: &mut String, results: &Results) {
    let runtimes: Vec<Flavor> = [Flavor::Mt, Flavor::Ct]
        .into_iter()
        .filter(|runtime| results.workloads(*runtime).contains(&Workload::Ask))
        .collect();
    if runtimes.is_empty() {
        return;
    }
    let contestants = results.contestants();
    let mut rows = vec![vec!["ask, sequential: nanoseconds".to_owned()]];
    rows[0].extend(contestants.iter().map(|contestant| contestant.title().to_owned()));
    for runtime in runtimes {
        for (title, of) in [("p50", 0), ("p99", 1)] {
            let mut row = vec![format!("{title}, {runtime}")];
            row.extend(contestants.iter().map(|contestant| {
                let measurement = results.of(Workload::Ask, runtime, *contestant);
                let latency = |sample: &Sample| sample.latency.map(|latency| [latency.p50, latency.p99][of]);
                measurement.and_then(|measurement| measurement.median_of(latency)).map_or_else(failed, number)
            }));
            rows.push(row);
        }
    }
    let _ = writeln!(text, "## Latency\n");
    table(text, &rows);
}

/// Bytes and allocations, as they are: a ratio to no allocation says nothing.
fn memory(text: &mut String, results: &Results) {
    let workloads: Vec<Workload> =
        results.workloads(Flavor::Ct).into_iter().filter(|workload| workload.is_about_memory()).collect();
    if workloads.is_empty() {
        return;
    }
    let contestants = results.contestants();
    let mut rows = vec![vec!["memory".to_owned()]];
    rows[0].extend(contestants.iter().map(|contestant| contestant.title().to_owned()));
    for workload in workloads {
        let unit = if workload.unit() == Unit::Bytes { ", heap bytes" } else { "" };
        let mut row = vec![format!("{}{unit}", workload.title())];
        row.extend(contestants.iter().map(|contestant| {
            results.of(workload, Flavor::Ct, *contestant).map_or_else(String::new, |measurement| {
                let whole = |value: f64| number(value.round());
                let shown = if workload.unit() == Unit::Bytes { whole } else { allocations };
                measurement.median.map_or_else(|| cell(measurement, None), shown)
            })
        }));
        rows.push(row);
    }
    let _ = writeln!(text, "## Memory\n");
    table(text, &rows);
}

/// A number of allocations; what is far less than one in a message is what a queue takes now and then.
fn allocations(value: f64) -> String {
    if (value - value.round()).abs() < 0.05 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// How long the contestants take to compile.
fn builds(text: &mut String, results: &Results) {
    if results.builds.is_empty() {
        return;
    }
    let mut rows = vec![["clean release build of a minimal program", "seconds", "crates"].map(str::to_owned).to_vec()];
    for build in &results.builds {
        let seconds = build.median.map_or_else(failed, |median| format!("{median:.1}"));
        rows.push(vec![build.contestant.title().to_owned(), seconds, build.crates.to_string()]);
    }
    let _ = writeln!(text, "## Build\n");
    table(text, &rows);
}

fn failures(text: &mut String, results: &Results) {
    let failures = results.failures();
    if !failures.is_empty() {
        let _ = writeln!(text, "## Failures\n");
        for failure in failures {
            let _ = writeln!(text, "- {failure}");
        }
        text.push('\n');
    }
}
