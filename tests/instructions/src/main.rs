//! Counts the instructions of a tell, an ask, a tick and a module's life, and compares with what is recorded.
//!
//! ```sh
//! cargo run --release -p dms-instructions                         # compares; fails where a count rose by more than 5 %
//! cargo run --release -p dms-instructions -- --record "reason"    # writes the counts that have changed, with the reason
//! cargo run --release -p dms-instructions -- --repeat             # measures twice: fails unless both agree within 1 %
//! cargo run --release -p dms-instructions -- --do ask dms 10000   # does one of them, for a profiler; or `by-hand`
//! cargo run --release -p dms-instructions --features observe      # any of these, with the feature `observe` of dms
//! ```
//!
//! Time depends on the machine and on what else it does; how many instructions a program takes does not, if one takes care. Each
//! operation is done by a process of its own in valgrind, on one thread and a paused clock, once and twice as often; the difference
//! is what it takes. Only the program's own instructions count, dms's and Tokio's: what `malloc` and `memcpy` take is a matter of
//! the C library and the processor (how often dms allocates is a test). So the counts are the same on each `x86_64` Linux machine,
//! with the toolchain and the dependencies that the repository names; they are recorded for no other platform.
//!
//! With the feature `observe` they are others, recorded in a file of their own; and what is sent or asked takes 5 % more at most than is recorded without.

mod by_hand;
mod callgrind;
mod counts;
mod measure;
mod operations;

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, io};

use counts::{Change, Counts, RESOLUTION, TOLERANCE, percent};
use measure::Measured;
use operations::{OPERATIONS, Operation, SUPERVISED, Side, TELL};

/// Whether the counts are recorded for the platform.
const IS_RECORDED: bool = cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"));

/// Where they are; those without the feature `observe`.
const PLAIN_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/counts.txt");

/// Where they are.
const FILE: &str =
    if cfg!(feature = "observe") { concat!(env!("CARGO_MANIFEST_DIR"), "/counts-observe.txt") } else { PLAIN_FILE };

/// How to write them.
const RECORD: &str = if cfg!(feature = "observe") {
    "cargo run --release -p dms-instructions --features observe -- --record \"reason\""
} else {
    "cargo run --release -p dms-instructions -- --record \"reason\""
};

/// What the feature `observe` may not make dearer by more than the tolerance.
const HELD: [&str; 3] = [TELL, "ask", "ask-in-handler"];

const USAGE: &str = "usage: dms-instructions [--record REASON | --repeat | --do OPERATION dms|by-hand TIMES]";

/// What became of it, where it could be done at all.
type Outcome = Result<ExitCode, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        ["--do", operation, side, times] => do_once(operation, side, times),
        [] if !IS_RECORDED => Ok(do_all()),
        _ if !IS_RECORDED => Err("they are recorded on x86_64 Linux with glibc only".to_owned()),
        _ if cfg!(debug_assertions) => Err("they are those of the release profile: add `--release`".to_owned()),
        [] => check(),
        ["--repeat"] => repeat(),
        ["--record", reason] if !reason.trim().is_empty() => record(reason),
        _ => Err(USAGE.to_owned()),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("instruction counts: {error}");
        ExitCode::from(2)
    })
}

fn check() -> Outcome {
    let recorded = read(FILE)?;
    let measured = measure::all(&program()?)?;
    print_table(&recorded, &measured);

    let mut failures = Vec::new();
    for Measured { operation: Operation { name, meaning, .. }, dms, .. } in &measured {
        let now = dms.own;
        let before = recorded.recorded(name).unwrap_or_default();
        match recorded.compare(name, now) {
            Change::Small(_) => {}
            Change::Rise(change) => {
                failures.push(format!("`{name}` rose from {before} to {now:.0} ({change:+.1} %): {meaning}"));
            }
            Change::NotRecorded => failures.push(format!("`{name}` is not recorded: it takes {now:.0}")),
            Change::Fall(change) => println!(
                "\n`{name}` fell from {before} to {now:.0} ({change:+.1} %). Record it, so that what was gained is kept:\n    {RECORD}"
            ),
        }
    }
    for name in recorded.unknown(&OPERATIONS.map(|operation| operation.name)) {
        failures.push(format!("`{name}` is recorded, and there is no such operation"));
    }
    failures.extend(check_supervised(&measured));
    if cfg!(feature = "observe") {
        failures.extend(check_held(&read(PLAIN_FILE)?, &measured));
    }
    if failures.is_empty() {
        println!("\nNo count rose by more than {TOLERANCE} %.");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("\nInstruction counts may rise by {TOLERANCE} % at most:");
    for failure in failures {
        eprintln!("  {failure}");
    }
    eprintln!(
        "Find the cause: `valgrind --tool=callgrind {} --do OPERATION dms 10000`, before and after the change.\n\
         Where the rise is worth it, record it with the reason, and commit the file with the change:\n    {RECORD}",
        program()?.display()
    );
    Ok(ExitCode::FAILURE)
}

fn read(file: &str) -> Result<Counts, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    Counts::parse(&text).map_err(|error| format!("{file}: {error}"))
}

/// Whether it costs a message anything that its module is built again when it fails.
fn check_supervised(measured: &[Measured]) -> Option<String> {
    let count =
        |name| measured.iter().find(|measured| measured.operation.name == name).map(|measured| measured.dms.own);
    let (plain, supervised) = (count(TELL)?, count(SUPERVISED)?);
    let change = percent(plain, supervised);
    (change > TOLERANCE)
        .then(|| format!("`{SUPERVISED}` takes {supervised:.0}, and `{TELL}` {plain:.0} ({change:+.1} %)"))
}

/// What takes more with the feature `observe` than it may.
fn check_held(plain: &Counts, measured: &[Measured]) -> Vec<String> {
    println!();
    let held = measured.iter().filter(|measured| HELD.contains(&measured.operation.name));
    let dearer = held.filter_map(|Measured { operation: Operation { name, .. }, dms, .. }| {
        let (Change::Small(change) | Change::Rise(change) | Change::Fall(change)) = plain.compare(name, dms.own) else {
            return Some(format!("`{name}` is not recorded without the feature `observe`"));
        };
        println!("`{name}` takes {change:+.1} % of what is recorded without the feature `observe`");
        (change > TOLERANCE)
            .then(|| format!("`{name}` rose to {:.0} ({change:+.1} %) with the feature `observe`", dms.own))
    });
    dearer.collect()
}

fn record(reason: &str) -> Outcome {
    let before = match fs::read_to_string(FILE) {
        Ok(text) => Counts::parse(&text).map_err(|error| format!("{FILE}: {error}"))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Counts::default(),
        Err(error) => return Err(format!("{FILE}: {error}")),
    };
    let measured = measure::all(&program()?)?;
    print_table(&before, &measured);
    let counts: Vec<_> = measured.iter().map(|measured| (measured.operation.name, measured.dms.own)).collect();
    fs::write(FILE, before.record(&counts, reason).text()).map_err(|error| format!("{FILE}: {error}"))?;
    println!("\nWhat has changed by more than {RESOLUTION} % is recorded in {FILE}.");
    Ok(ExitCode::SUCCESS)
}

fn repeat() -> Outcome {
    let program = program()?;
    let (first, second) = (measure::all(&program)?, measure::all(&program)?);
    let mut furthest = 0.0_f64;
    println!("{:<16} {:>10} {:>10} {:>9}", "operation", "first", "second", "apart");
    for (first, second) in first.iter().zip(&second) {
        let apart = percent(first.dms.own, second.dms.own);
        println!("{:<16} {:>10.2} {:>10.2} {apart:>+7.3} %", first.operation.name, first.dms.own, second.dms.own);
        furthest = furthest.max(apart.abs());
    }
    if furthest > RESOLUTION {
        eprintln!("\nThey do not repeat within {RESOLUTION} %.");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn do_once(operation: &str, side: &str, times: &str) -> Outcome {
    let found = OPERATIONS.iter().find(|known| known.name == operation);
    let side = [Side::Dms, Side::ByHand].into_iter().find(|known| known.name() == side);
    let (Some(operation), Some(side), Ok(times)) = (found, side, times.parse()) else {
        return Err(format!("{USAGE}\noperations: {}", OPERATIONS.map(|operation| operation.name).join(", ")));
    };
    operation.run(side, times);
    Ok(ExitCode::SUCCESS)
}

fn do_all() -> ExitCode {
    for operation in &OPERATIONS {
        operation.run(Side::Dms, operation.times);
        operation.run(Side::ByHand, operation.times);
    }
    println!("NOT COMPARED: instruction counts are recorded for x86_64 Linux with glibc only. All operations work.");
    ExitCode::SUCCESS
}

fn print_table(recorded: &Counts, measured: &[Measured]) {
    println!(
        "{:<16} {:>9} {:>9} {:>9} {:>9} {:>7} {:>11}",
        "operation", "recorded", "measured", "change", "by hand", "ratio", "+ libraries"
    );
    for Measured { operation, dms, by_hand } in measured {
        let name = operation.name;
        let before = recorded.recorded(name).map_or_else(|| "-".to_owned(), |count| count.to_string());
        let change = match recorded.compare(name, dms.own) {
            Change::Small(change) | Change::Rise(change) | Change::Fall(change) => format!("{change:+.1} %"),
            Change::NotRecorded => "-".to_owned(),
        };
        let (own, libraries, by_hand) = (dms.own, dms.libraries, by_hand.own);
        let ratio = own / by_hand;
        println!("{name:<16} {before:>9} {own:>9.0} {change:>9} {by_hand:>9.0} {ratio:>7.2} {libraries:>11.0}");
    }
}

/// This program.
fn program() -> Result<PathBuf, String> {
    env::current_exe().map_err(|error| format!("where this program is: {error}"))
}
