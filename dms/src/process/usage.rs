//! What a process uses: `ResourceUsage`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a process and its group use, as it was when they were last looked at.
///
/// Figures are of all processes of the group together, where nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResourceUsage {
    /// Resident memory, in bytes.
    ///
    /// What several processes of the group share counts for each of them, unless there is a limit and this comes near it: then it counts once.
    pub memory: u64,
    /// The most memory, in bytes, that was seen of the group, or that one of its processes ever had, between two looks as well.
    pub peak: u64,
    /// The largest address space that a process of the group has, in bytes.
    pub address_space: u64,
    /// CPU time over the last `sample_every`, in percent of one core: two busy cores are 200. 0 until there was a second look.
    pub cpu_percent: f64,
    /// CPU time since the process was spawned.
    ///
    /// With that of its children, as far as they were waited for by a process of the group.
    pub cpu_time: Duration,
    /// How many files are open, pipes and sockets among them. What the system does not let us count (that of another user) is not in it.
    pub open_files: u64,
    /// How many files the process of the group has open that has the most: the limit holds for each process.
    pub most_open_files: u64,
    /// How many threads there are.
    pub threads: u64,
    /// How many processes there are, the one that was spawned among them.
    pub processes: u64,
}
