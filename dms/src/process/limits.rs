//! What a process may use: `ResourceLimits`, `Limit`, `Amount`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::quantity::{duration, size};

/// What a process may use. Without a limit it may use what the system gives it.
///
/// A process that goes over one is killed with its group, and has failed with
/// [`ProcessError::ResourceLimit`](super::ProcessError::ResourceLimit); whether it is started again is up to its restart policy. From 80 % and from 95 % on
/// [`LimitNear`](super::LimitNear) is published.
///
/// Two kinds of limit keep a process from going over, since the kernel holds it there: with `open_files` and `address_space` the program's own calls fail. The
/// others are seen when the group is looked at, every [`sample_every`](super::ProcessConfig::sample_every); only that of CPU time is the kernel's as well.
///
/// In a file, sizes are written as `"64MiB"` (or a number of bytes) and times as `"1m 30s"`; an unknown key is an error.
///
/// ```
/// use std::time::Duration;
/// use dms::process::ResourceLimits;
///
/// let limits = ResourceLimits::new().memory(64 << 20).cpu_time(Duration::from_secs(90)).open_files(256);
/// let read: ResourceLimits = serde_json::from_str(r#"{ "memory": "64MiB", "cpu_time": "1m 30s", "open_files": 256 }"#)?;
/// assert_eq!(read, limits);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ResourceLimits {
    /// Resident memory of the whole group, in bytes.
    #[serde(with = "size::optional", skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// The address space of each process, in bytes.
    #[serde(with = "size::optional", skip_serializing_if = "Option::is_none")]
    pub address_space: Option<u64>,
    /// CPU time of the whole group since the process was spawned.
    #[serde(with = "duration::optional", skip_serializing_if = "Option::is_none")]
    pub cpu_time: Option<Duration>,
    /// CPU time of the whole group, in percent of one core, in the mean of the last three looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<u32>,
    /// Open files of each process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_files: Option<u64>,
    /// Processes of the group, the one that is spawned among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<u64>,
}

impl ResourceLimits {
    /// No limits.
    #[must_use]
    pub const fn new() -> Self {
        Self { memory: None, address_space: None, cpu_time: None, cpu_percent: None, open_files: None, processes: None }
    }

    /// The resident memory of the whole group may be so many bytes.
    ///
    /// A process that had more for a moment between two looks is over the limit, too, as long as it runs: the kernel keeps the most that a process ever had. It does not keep that of the
    /// group, nor of a process that has ended. So it is looked at each 100 ms, or as often as [`sample_every`](super::ProcessConfig::sample_every) says where that is more often; what is taken, and given back or ended with, between two
    /// such looks may be missed. Where an allocation should fail instead, the limit is [`address_space`](Self::address_space).
    #[must_use]
    pub const fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// The address space of each process may be so many bytes (`RLIMIT_AS`): what goes beyond is refused by the kernel, so that the program's own allocation fails.
    ///
    /// The address space is more than what is in memory, for some runtimes by far: they reserve what they never touch.
    #[must_use]
    pub const fn address_space(mut self, bytes: u64) -> Self {
        self.address_space = Some(bytes);
        self
    }

    /// The group may use so much CPU time since the process was spawned.
    ///
    /// The kernel ends each process that reaches it (`RLIMIT_CPU`, in whole seconds, rounded up); what all of them use together is watched.
    #[must_use]
    pub const fn cpu_time(mut self, time: Duration) -> Self {
        self.cpu_time = Some(time);
        self
    }

    /// The group may use so many percent of one core, in the mean of the last three looks: two busy cores are 200. A burst that is shorter is no matter.
    #[must_use]
    pub const fn cpu_percent(mut self, percent: u32) -> Self {
        self.cpu_percent = Some(percent);
        self
    }

    /// Each process may have so many files open (`RLIMIT_NOFILE`), pipes and sockets among them: what goes beyond is refused by the kernel.
    ///
    /// A privileged program can raise this for itself; it has failed when it is seen with more.
    #[must_use]
    pub const fn open_files(mut self, count: u64) -> Self {
        self.open_files = Some(count);
        self
    }

    /// The group may have so many processes, the one that is spawned among them. They are counted ten times as often as the group is looked at, so that a program that only makes
    /// more of itself does not come far.
    ///
    /// It is not `RLIMIT_NPROC`, which counts all processes and threads of a user, also those that have nothing to do with this one, and none of root's.
    #[must_use]
    pub const fn processes(mut self, count: u64) -> Self {
        self.processes = Some(count);
        self
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::new()
    }

    /// These, and where there is none the one of `defaults`.
    #[must_use]
    pub fn or(self, defaults: Self) -> Self {
        Self {
            memory: self.memory.or(defaults.memory),
            address_space: self.address_space.or(defaults.address_space),
            cpu_time: self.cpu_time.or(defaults.cpu_time),
            cpu_percent: self.cpu_percent.or(defaults.cpu_percent),
            open_files: self.open_files.or(defaults.open_files),
            processes: self.processes.or(defaults.processes),
        }
    }

    /// How much of it a process may use.
    #[must_use]
    pub fn allowed(&self, limit: Limit) -> Option<Amount> {
        match limit {
            Limit::Memory => self.memory.map(Amount::Bytes),
            Limit::AddressSpace => self.address_space.map(Amount::Bytes),
            Limit::CpuTime => self.cpu_time.map(Amount::Time),
            Limit::CpuPercent => self.cpu_percent.map(|percent| Amount::Percent(percent.into())),
            Limit::OpenFiles => self.open_files.map(Amount::Count),
            Limit::Processes => self.processes.map(Amount::Count),
        }
    }
}

/// What there can be a limit for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Limit {
    /// Resident memory of the group.
    Memory,
    /// The address space of each process.
    AddressSpace,
    /// CPU time of the group since the process was spawned.
    CpuTime,
    /// CPU time of the group over the last looks, in percent of one core.
    CpuPercent,
    /// Open files of each process.
    OpenFiles,
    /// Processes of the group.
    Processes,
}

impl Limit {
    /// All there are.
    pub(crate) const ALL: [Self; 6] =
        [Self::Memory, Self::AddressSpace, Self::CpuTime, Self::CpuPercent, Self::OpenFiles, Self::Processes];
}

impl fmt::Display for Limit {
    /// As it is in a sentence: `CPU time`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::AddressSpace => "address space",
            Self::CpuTime => "CPU time",
            Self::CpuPercent => "CPU percentage",
            Self::OpenFiles => "open files",
            Self::Processes => "processes",
        })
    }
}

/// How much of something: what a limit allows, or what is used.
///
/// ```
/// use dms::process::Amount;
///
/// assert_eq!(Amount::Bytes(64 << 20).to_string(), "64MiB");
/// assert_eq!(Amount::Percent(99.66).to_string(), "99.7%");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Amount {
    /// Bytes: memory, address space.
    Bytes(u64),
    /// A time: of the CPU.
    Time(Duration),
    /// Percent of one core.
    Percent(f64),
    /// A number: open files, processes.
    Count(u64),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => f.write_str(&size::show(*bytes)),
            Self::Time(time) => write!(f, "{time:?}"),
            Self::Percent(percent) => write!(f, "{}%", (percent * 10.0).round() / 10.0),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_written_as_they_are_read() {
        let limits = ResourceLimits {
            memory: Some(64 << 20),
            address_space: Some(1_000),
            cpu_time: Some(Duration::from_secs(90)),
            cpu_percent: Some(150),
            open_files: Some(16),
            processes: Some(5),
        };
        let text = serde_json::to_string(&limits).unwrap();
        assert_eq!(
            text,
            r#"{"memory":"64MiB","address_space":"1000B","cpu_time":"1m 30s","cpu_percent":150,"open_files":16,"processes":5}"#
        );
        assert_eq!(serde_json::from_str::<ResourceLimits>(&text).unwrap(), limits);
        assert_eq!(serde_json::to_string(&ResourceLimits::new()).unwrap(), "{}");
    }

    #[test]
    fn a_mistake_says_what_to_write() {
        for (text, expected) in [
            (
                r#"{"memory":"64 megs"}"#,
                r#"invalid value: string "64 megs", expected a size (a number of bytes, or a text as `"64MiB"`)"#,
            ),
            (
                r#"{"memory":-1}"#,
                r#"invalid value: integer `-1`, expected a size (a number of bytes, or a text as `"64MiB"`)"#,
            ),
            (
                r#"{"cpu_time":"fast"}"#,
                r#"invalid value: string "fast", expected a duration (as `"30s"` or `"1m 30s"`)"#,
            ),
            (r#"{"memroy":"1MiB"}"#, "unknown field `memroy`, expected one of `memory`"),
        ] {
            let error = serde_json::from_str::<ResourceLimits>(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn what_is_left_out_is_taken_from_the_defaults() {
        let defaults = ResourceLimits::new().memory(1).processes(2);
        assert_eq!(ResourceLimits::new().memory(7).or(defaults), ResourceLimits::new().memory(7).processes(2));
        assert!(ResourceLimits::new().or(ResourceLimits::new()).is_empty());
    }
}
