//! One process of a group, as its files describe it.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::time::Duration;

use rustix::io::Errno;
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::Pid;

use super::fields::bytes_of;
use super::stat::Stat;

/// What a process uses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(crate) pid: Pid,
    /// Whether a signal has stopped it.
    pub(crate) is_stopped: bool,
    /// Whether it has ended and was not reaped: then only its CPU time is left.
    pub(crate) has_ended: bool,
    /// Resident memory, in bytes.
    pub(crate) memory: u64,
    /// The most that it ever was, in bytes, since the program began.
    pub(crate) peak: u64,
    /// The size of the address space, in bytes.
    pub(crate) address_space: u64,
    /// With that of the children that it has reaped.
    pub(crate) cpu_time: Duration,
    /// `None` where the system does not let us look.
    pub(crate) open_files: Option<u64>,
    pub(crate) threads: u64,
}

impl Member {
    /// Reads the files of the process; `None` if it has ended and was reaped.
    ///
    /// # Errors
    ///
    /// `/proc` cannot be read, or has something else in it than Linux writes.
    pub(crate) fn read(pid: Pid, buffer: &mut Vec<u8>) -> io::Result<Option<Self>> {
        if !read(pid, "stat", buffer)? {
            return Ok(None);
        }
        let Some(stat) = Stat::parse(buffer) else { return Err(io::Error::from(ErrorKind::InvalidData)) };
        let has_ended = stat.has_ended();
        let resident = stat.resident_pages.saturating_mul(page_size() as u64);
        let (mut memory, mut peak) = (resident, resident);
        let mut open_files = Some(0);
        if !has_ended {
            // Here the figures are exact, where those of `stat` may be some pages behind on a machine of many cores.
            if read(pid, "status", buffer)? {
                memory = bytes_of(buffer, "VmRSS").unwrap_or(0);
                peak = bytes_of(buffer, "VmHWM").unwrap_or(0);
            }
            open_files = open_files_of(pid);
        }
        Ok(Some(Self {
            pid,
            is_stopped: stat.is_stopped(),
            has_ended,
            memory,
            peak: peak.max(memory),
            address_space: stat.address_space,
            cpu_time: duration(stat.ticks, clock_ticks_per_second()),
            open_files,
            threads: stat.threads,
        }))
    }
}

/// The resident memory of a process in which a page that several processes have counts only in part: in halves for two. `None` where the system does not let us look.
///
/// The kernel goes through all pages for it, which takes about a millisecond for 100 MiB.
pub(crate) fn shared_once(pid: Pid, buffer: &mut Vec<u8>) -> Option<u64> {
    if read(pid, "smaps_rollup", buffer).ok()? { bytes_of(buffer, "Pss") } else { None }
}

/// The resident memory of a process, in bytes, and the most that it ever was. `None` if it has ended.
///
/// # Errors
///
/// `/proc` cannot be read.
pub(crate) fn memory_of(pid: Pid, buffer: &mut Vec<u8>) -> io::Result<Option<(u64, u64)>> {
    if !read(pid, "status", buffer)? {
        return Ok(None);
    }
    Ok(bytes_of(buffer, "VmRSS").zip(bytes_of(buffer, "VmHWM")))
}

/// Reads a file of the process; says whether the process is there still.
fn read(pid: Pid, file: &str, buffer: &mut Vec<u8>) -> io::Result<bool> {
    buffer.clear();
    let path = format!("/proc/{}/{file}", pid.as_raw_nonzero());
    match File::open(path).and_then(|mut file| file.read_to_end(buffer)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) if Errno::from_io_error(&error) == Some(Errno::SRCH) => Ok(false),
        Err(error) => Err(error),
    }
}

/// How many files the process has open. Since Linux 6.2 that is the size of the directory, which before was 0.
fn open_files_of(pid: Pid) -> Option<u64> {
    let directory = format!("/proc/{}/fd", pid.as_raw_nonzero());
    match fs::metadata(&directory).ok()?.len() {
        0 => u64::try_from(fs::read_dir(&directory).ok()?.count()).ok(),
        open => Some(open),
    }
}

fn duration(ticks: u64, ticks_per_second: u64) -> Duration {
    let ticks_per_second = ticks_per_second.max(1);
    let nanoseconds = (ticks % ticks_per_second).saturating_mul(1_000_000_000) / ticks_per_second;
    Duration::from_secs(ticks / ticks_per_second) + Duration::from_nanos(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_read_with_plausible_figures() {
        let mut buffer = Vec::new();
        let member = Member::read(rustix::process::getpid(), &mut buffer).unwrap().unwrap();
        assert!((1 << 20..1 << 32).contains(&member.memory), "{member:?}");
        assert!(member.peak >= member.memory && member.address_space > member.memory, "{member:?}");
        assert!(member.open_files.unwrap() >= 3 && member.threads >= 1, "{member:?}");
        assert!(!member.is_stopped && !member.has_ended);
        assert!(shared_once(member.pid, &mut buffer).unwrap() <= member.peak);
    }

    #[test]
    fn a_process_that_is_not_there_is_none() {
        let nobody = Pid::from_raw(i32::MAX).unwrap();
        assert!(Member::read(nobody, &mut Vec::new()).unwrap().is_none());
        assert_eq!(shared_once(nobody, &mut Vec::new()), None);
    }

    #[test]
    fn clock_ticks_become_time_without_overflow() {
        assert_eq!(duration(250, 100), Duration::from_millis(2_500));
        assert_eq!(duration(1, 1_024), Duration::from_nanos(976_562));
        assert_eq!(duration(7, 0), Duration::from_secs(7));
        assert_eq!(duration(u64::MAX, 1), Duration::from_secs(u64::MAX));
    }
}
