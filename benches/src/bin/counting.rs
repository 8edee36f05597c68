//! The same program with an allocator that counts: it runs the workloads that are about memory.
//!
//! Counting takes time, more so for those who allocate more. So what is timed runs in the other program.

use std::alloc::System;
use std::process::ExitCode;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    dms_benches::main()
}
