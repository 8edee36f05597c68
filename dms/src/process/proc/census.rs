//! Which processes a group has.
//!
//! The kernel has no list of them that could be read, so all processes of the machine are gone through. The name of each is an entry of `/proc`, and its group one system
//! call, so no file is opened for it; with 1,000 processes that takes about two milliseconds. All groups that we watch share one census: it holds for a
//! hundred times as long as it took, and so takes no more than 1 % of one core, however many they are.

use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use nix::unistd::getpgid;
use parking_lot::Mutex;
use rustix::fs::{CWD, Mode, OFlags, RawDir, openat};
use rustix::io;
use rustix::process::Pid;

/// A census is good for at least so long.
const GOOD_FOR: Duration = Duration::from_millis(20);

/// And for so many times as it took.
const TIMES_ITS_COST: u32 = 100;

/// At most so long, however long it took.
const GOOD_FOR_AT_MOST: Duration = Duration::from_secs(1);

/// The latest.
static LATEST: Mutex<Option<Census>> = Mutex::new(None);

/// All processes that were there at a time.
#[derive(Debug)]
struct Census {
    taken: Instant,
    good_for: Duration,
    /// Each with its group before it, in order, so that a group is a piece of the list.
    processes: Vec<(i32, i32)>,
}

/// The processes of a group, the leader among them if there is one.
///
/// Those that came within the last moments may be missing; the leader is not.
///
/// # Errors
///
/// `/proc` cannot be read.
pub(crate) fn members_of(group: Pid) -> io::Result<Vec<Pid>> {
    let leader = group.as_raw_nonzero().get();
    let mut latest = LATEST.lock();
    if latest.as_ref().is_none_or(|census| census.taken.elapsed() >= census.good_for) {
        *latest = Some(Census::take()?);
    }
    let mut members = latest.as_ref().map(|census| census.members_of(leader)).unwrap_or_default();
    drop(latest);
    if !members.contains(&group) && group_of(leader) == Some(leader) {
        members.push(group);
    }
    Ok(members)
}

/// The processes of a group, as it is now: for one that is being ended.
///
/// # Errors
///
/// `/proc` cannot be read.
pub(crate) fn members_now(group: Pid) -> io::Result<Vec<Pid>> {
    Ok(Census::take()?.members_of(group.as_raw_nonzero().get()))
}

impl Census {
    fn take() -> io::Result<Self> {
        let taken = Instant::now();
        let proc = openat(CWD, c"/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let mut buffer = [MaybeUninit::uninit(); 16 * 1024];
        let mut entries = RawDir::new(proc, &mut buffer);
        let mut processes = Vec::new();
        while let Some(entry) = entries.next() {
            let Some(pid) = pid(entry?.file_name().to_bytes()) else { continue };
            // It may have ended since.
            processes.extend(group_of(pid).map(|group| (group, pid)));
        }
        processes.sort_unstable();
        let good_for = (taken.elapsed() * TIMES_ITS_COST).clamp(GOOD_FOR, GOOD_FOR_AT_MOST);
        Ok(Self { taken, good_for, processes })
    }

    fn members_of(&self, group: i32) -> Vec<Pid> {
        let begin = self.processes.partition_point(|(of, _)| *of < group);
        let end = self.processes.partition_point(|(of, _)| *of <= group);
        self.processes[begin..end].iter().filter_map(|(_, pid)| Pid::from_raw(*pid)).collect()
    }
}

/// The group of a process: 0 for a thread of the kernel. `None` if it has ended.
fn group_of(pid: i32) -> Option<i32> {
    getpgid(Some(nix::unistd::Pid::from_raw(pid))).ok().map(nix::unistd::Pid::as_raw)
}

/// The process that an entry of `/proc` is of; `None` for what else there is.
fn pid(name: &[u8]) -> Option<i32> {
    if !name.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(name).ok()?.parse().ok().filter(|pid| *pid > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_entries_that_are_numbers_are_processes() {
        assert_eq!(pid(b"17"), Some(17));
        for name in [b"self".as_slice(), b"", b".", b"0", b"1a", b"-1", b"+1", b"99999999999", b"\xff"] {
            assert_eq!(pid(name), None, "{name:?}");
        }
    }

    #[test]
    fn the_own_group_has_this_process() {
        let group = rustix::process::getpgrp();
        let members = members_of(group).unwrap();
        assert!(members.contains(&rustix::process::getpid()), "{members:?}");
    }
}
