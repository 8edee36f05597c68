//! How scarce memory is, by two figures of the kernel's: how long tasks stood still for want of it, and how much of its limit a control group has in use.

use std::path::{Path, PathBuf};

use super::read;
use crate::system::system_event::PressureLevel;

/// In percent of the last ten seconds, from which on a level holds: during which some task stood still for want of memory.
const SOME_STALLED: [(PressureLevel, f64); 2] = [(PressureLevel::Low, 10.0), (PressureLevel::Medium, 40.0)];

/// The same of all tasks at once, so that no work was done at all.
const ALL_STALLED: [(PressureLevel, f64); 2] = [(PressureLevel::Medium, 10.0), (PressureLevel::Critical, 40.0)];

/// In percent of the limit of a control group, the part that is in use and cannot simply be dropped.
const IN_USE: [(PressureLevel, f64); 3] =
    [(PressureLevel::Low, 80.0), (PressureLevel::Medium, 90.0), (PressureLevel::Critical, 95.0)];

/// The level by the worst of all figures; `None` where there is none.
pub(super) fn level(root: &Path) -> Option<PressureLevel> {
    let groups = read(&root.join("proc/self/cgroup")).unwrap_or_default();
    let (unified, memory) = (Group::unified(root, &groups), Group::of_memory(root, &groups));
    let own_pressure = unified.as_ref().and_then(|group| stalled(&group.directory.join("memory.pressure")));
    let of_groups = [unified, memory].into_iter().flatten().filter_map(|group| group.in_use());
    let of_groups = of_groups.map(|percent| at(percent, &IN_USE));
    own_pressure.into_iter().chain(stalled(&root.join("proc/pressure/memory"))).chain(of_groups).max()
}

/// The highest level whose threshold the figure reaches.
fn at(percent: f64, thresholds: &[(PressureLevel, f64)]) -> PressureLevel {
    let reached = thresholds.iter().filter(|(_, from)| percent >= *from).map(|(level, _)| *level);
    reached.max().unwrap_or_default()
}

/// The level by a file of pressure stall information.
fn stalled(file: &Path) -> Option<PressureLevel> {
    let text = read(file)?;
    let percent = |who: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(who)?.strip_prefix(' '))?;
        line.split(' ').find_map(|field| field.strip_prefix("avg10="))?.parse::<f64>().ok()
    };
    let (some, all) = (percent("some"), percent("full"));
    let some = some.map(|percent| at(percent, &SOME_STALLED));
    some.into_iter().chain(all.map(|percent| at(percent, &ALL_STALLED))).max()
}

/// The control group that the process is in, and what its files are called.
struct Group {
    /// Where the hierarchy is mounted: no limit lies above.
    mount: PathBuf,
    directory: PathBuf,
    limit: &'static str,
    usage: &'static str,
    /// The line of `memory.stat` with what the kernel drops first: file pages that have not been looked at for a while.
    droppable: &'static str,
}

/// Version 1 has a number for no limit, somewhat below what a signed number holds.
const UNLIMITED: u64 = 1 << 62;

impl Group {
    /// That of version 2: one hierarchy for all controllers, mounted beside those of version 1 where there are any.
    fn unified(root: &Path, groups: &str) -> Option<Self> {
        let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
        let mounts = ["sys/fs/cgroup/unified", "sys/fs/cgroup"].map(|mount| root.join(mount));
        let mount = mounts.into_iter().find(|mount| mount.join("cgroup.controllers").exists())?;
        Some(Self::new(mount, path, "memory.max", "memory.current", "inactive_file"))
    }

    /// That of version 1: a hierarchy for the one controller.
    fn of_memory(root: &Path, groups: &str) -> Option<Self> {
        let path = groups.lines().find_map(|line| {
            let (_, controllers_and_path) = line.split_once(':')?;
            let (controllers, path) = controllers_and_path.split_once(':')?;
            controllers.split(',').any(|controller| controller == "memory").then_some(path)
        })?;
        let mount = root.join("sys/fs/cgroup/memory");
        Some(Self::new(mount, path, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"))
    }

    fn new(mount: PathBuf, path: &str, limit: &'static str, usage: &'static str, droppable: &'static str) -> Self {
        let own = mount.join(path.trim_start_matches('/'));
        // A container may see its own group as the root, under a path that only the host knows.
        let directory = if own.is_dir() { own } else { mount.clone() };
        Self { mount, directory, limit, usage, droppable }
    }

    /// How many percent of its limit are in use, of whichever group on the way up has the least left.
    fn in_use(&self) -> Option<f64> {
        let groups = self.directory.ancestors().take_while(|directory| directory.starts_with(&self.mount));
        groups.filter_map(|directory| self.in_use_of(directory)).reduce(f64::max)
    }

    fn in_use_of(&self, directory: &Path) -> Option<f64> {
        let number = |file: &str| read(&directory.join(file))?.trim().parse::<u64>().ok();
        let limit = number(self.limit).filter(|limit| (1..UNLIMITED).contains(limit))?;
        let usage = number(self.usage)?;
        let stat = read(&directory.join("memory.stat")).unwrap_or_default();
        let droppable = stat.lines().find_map(|line| line.strip_prefix(self.droppable)?.trim().parse::<u64>().ok());
        let held = usage.saturating_sub(droppable.unwrap_or(0));
        #[allow(
            clippy::cast_precision_loss,
            reason = "a percentage of some trillion bytes need not be exact to the byte"
        )]
        let percent = held as f64 * 100.0 / limit as f64;
        Some(percent)
    }
}
