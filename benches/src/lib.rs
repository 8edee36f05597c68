//! dms beside other actor frameworks and a hand-written Tokio actor.
//!
//! In reading order:
//!
//! - `message`: what is sent, and what an actor does with it.
//! - `contestant`: the trait that every contestant implements, and a file for each.
//! - `workload`: what is measured, generic over the contestant.
//! - `child`: one measurement in a process of its own.
//! - `program`: the programs that such a process can be.
//! - `runner`: all measurements, in rounds.
//! - `build_time`: how long a contestant takes to compile.
//! - `statistics`, `results`: medians and ratios of what was measured.
//! - `report`: the results as a table, as JSON and as plots.
//! - `cli`: the command line.

mod allocations;
mod build_time;
mod child;
mod cli;
mod contestant;
mod machine;
mod message;
mod program;
mod progress;
mod report;
mod results;
mod runner;
mod statistics;
mod workload;

pub use cli::main;

/// Tests run the workloads about memory, too.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;
