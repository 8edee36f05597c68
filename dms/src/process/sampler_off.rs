//! Stands in for the sampler where there is no `/proc`: nothing is seen.

use std::io;

use rustix::process::Pid;

use super::usage::ResourceUsage;

/// What would be seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) usage: ResourceUsage,
    pub(crate) is_stopped: bool,
}

/// What would be seen at a glance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Glance {
    pub(crate) processes: u64,
    pub(crate) memory: u64,
}

/// Sees nothing.
#[derive(Debug)]
pub(crate) struct Sampler;

#[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "as the sampler has it")]
impl Sampler {
    pub(crate) const fn new(_leader: Pid, _grouped: bool, _memory_limit: Option<u64>) -> Self {
        Self
    }

    pub(crate) const fn is_supported() -> bool {
        false
    }

    pub(crate) fn glance(&mut self) -> io::Result<Glance> {
        Ok(Glance { processes: 0, memory: 0 })
    }

    pub(crate) fn look(&mut self) -> io::Result<Option<Sample>> {
        Ok(None)
    }
}
