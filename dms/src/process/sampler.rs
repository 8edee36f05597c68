//! Looks at a process group: what it uses, and what that is in percent of the time since the last look.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::proc::{Member, members_of, memory_of, shared_once};
use super::usage::ResourceUsage;

/// From so many percent of the memory limit on, shared memory is counted once.
const NEAR: u64 = 80;

/// Two looks that are nearer to each other give no percentage: the kernel counts CPU time in steps of 10 ms.
const SHORTEST: Duration = Duration::from_millis(20);

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) usage: ResourceUsage,
    /// Whether a signal has stopped the leader.
    pub(crate) is_stopped: bool,
}

/// What is seen at a glance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Glance {
    /// What has ended and was not reaped is one still.
    pub(crate) processes: u64,
    /// That of the group, or the most that one of them ever had; 0 without a limit of it.
    pub(crate) memory: u64,
}

/// One group, with what was seen of it last.
#[derive(Debug)]
pub(crate) struct Sampler {
    leader: Pid,
    /// Whether it leads a group; else it is looked at alone.
    grouped: bool,
    memory_limit: Option<u64>,
    /// When there was a look, and the CPU time then.
    last: Option<(Instant, Duration)>,
    /// CPU time of processes that have gone, and nobody of the group waited for.
    gone: Duration,
    /// The CPU time of those that were there at the last look.
    there: Duration,
    /// Who they were.
    known: Vec<Pid>,
    peak: u64,
    cpu_percent: f64,
    /// For the files, so that each look needs no new one.
    buffer: Vec<u8>,
}

impl Sampler {
    /// That of the group that `leader` leads, or of the process alone where it leads none.
    ///
    /// With a limit of its memory, in bytes, shared memory is counted once where that decides.
    pub(crate) const fn new(leader: Pid, grouped: bool, memory_limit: Option<u64>) -> Self {
        Self {
            leader,
            grouped,
            memory_limit,
            last: None,
            gone: Duration::ZERO,
            there: Duration::ZERO,
            known: Vec::new(),
            peak: 0,
            cpu_percent: 0.0,
            buffer: Vec::new(),
        }
    }

    /// Whether this platform has what is looked at.
    pub(crate) fn is_supported() -> bool {
        Path::new("/proc/self/stat").exists()
    }

    /// Sees how many processes the group has, and where its memory has a limit, how much that is: about 15 µs for each process.
    ///
    /// # Errors
    ///
    /// `/proc` cannot be read.
    pub(crate) fn glance(&mut self) -> io::Result<Glance> {
        let members = self.members()?;
        let processes = members.len() as u64;
        if self.memory_limit.is_none() {
            return Ok(Glance { processes, memory: 0 });
        }
        let (mut together, mut most) = (0_u64, 0);
        for pid in &members {
            let (memory, peak) = memory_of(*pid, &mut self.buffer)?.unwrap_or_default();
            together = together.saturating_add(memory);
            most = peak.max(most);
        }
        if members.len() > 1 && self.is_near(together) {
            let part = |pid: &Pid| shared_once(*pid, &mut self.buffer).unwrap_or_default();
            together = together.min(members.iter().map(part).sum());
        }
        Ok(Glance { processes, memory: together.max(most) })
    }

    /// Looks at the group; `None` if nothing of it is left.
    ///
    /// This blocks, but for nothing else than the kernel: about 40 µs for each process of the group, beside the shared look at which they are.
    ///
    /// # Errors
    ///
    /// `/proc` cannot be read.
    pub(crate) fn look(&mut self) -> io::Result<Option<Sample>> {
        let (known, pids) = (std::mem::take(&mut self.known), self.members()?);
        let members = settled(known, || {
            let read = pids.iter().map(|pid| Member::read(*pid, &mut self.buffer));
            read.filter_map(Result::transpose).collect()
        })?;
        self.known = members.iter().map(|member| member.pid).collect();
        if members.is_empty() {
            return Ok(None);
        }
        let mut usage = ResourceUsage::default();
        for member in &members {
            usage.memory = usage.memory.saturating_add(member.memory);
            self.peak = self.peak.max(member.peak);
            usage.cpu_time = usage.cpu_time.saturating_add(member.cpu_time);
            usage.address_space = usage.address_space.max(member.address_space);
            if let Some(open_files) = member.open_files {
                usage.open_files = usage.open_files.saturating_add(open_files);
                usage.most_open_files = usage.most_open_files.max(open_files);
            }
            if !member.has_ended {
                usage.threads += member.threads;
                usage.processes += 1;
            }
        }
        if members.len() > 1 && self.is_near(usage.memory) {
            usage.memory = members.iter().map(|member| self.shared_once(member)).sum();
        }
        self.peak = self.peak.max(usage.memory);
        usage.peak = self.peak;
        usage.cpu_time = self.cpu_time(usage.cpu_time);
        usage.cpu_percent = self.cpu_percent(Instant::now(), usage.cpu_time);
        let is_stopped = members.iter().any(|member| member.pid == self.leader && member.is_stopped);
        Ok(Some(Sample { usage, is_stopped }))
    }

    fn members(&self) -> io::Result<Vec<Pid>> {
        if self.grouped { Ok(members_of(self.leader)?) } else { Ok(vec![self.leader]) }
    }

    /// Whether so much memory is near the limit, or over it.
    fn is_near(&self, memory: u64) -> bool {
        self.memory_limit.is_some_and(|limit| u128::from(memory) * 100 >= u128::from(limit) * u128::from(NEAR))
    }

    /// The memory of a process, its part of what it shares.
    fn shared_once(&mut self, member: &Member) -> u64 {
        if member.has_ended {
            return 0;
        }
        shared_once(member.pid, &mut self.buffer).map_or(member.memory, |part| part.min(member.memory))
    }

    /// The CPU time of the group since it began, of which `there` belongs to those that are there.
    ///
    /// What has ended and was waited for is part of who waited. What has ended and was not (its parent ended before it) is gone, so the sum falls; then what is missing was used all the same.
    fn cpu_time(&mut self, there: Duration) -> Duration {
        self.gone += self.there.saturating_sub(there);
        self.there = there;
        self.gone.saturating_add(there)
    }

    /// The percentage since the last look that was not just now.
    fn cpu_percent(&mut self, now: Instant, cpu_time: Duration) -> f64 {
        let Some((before, cpu_time_before)) = self.last else {
            self.last = Some((now, cpu_time));
            return self.cpu_percent;
        };
        let passed = now.saturating_duration_since(before);
        if passed >= SHORTEST {
            self.cpu_percent = cpu_time.saturating_sub(cpu_time_before).as_secs_f64() * 100.0 / passed.as_secs_f64();
            self.last = Some((now, cpu_time));
        }
        self.cpu_percent
    }
}

/// Reads the members until none of them has gone meanwhile, of which the first are `known`. Three times at most, for a group may change without end.
///
/// Who waits for a process that has ended has its CPU time from then on. Read before that it has not, and it would be counted twice: as that of a process which has gone, and at the next look once more.
fn settled(mut known: Vec<Pid>, mut read: impl FnMut() -> io::Result<Vec<Member>>) -> io::Result<Vec<Member>> {
    let mut members = read()?;
    for _ in 0..2 {
        if known.iter().all(|pid| members.iter().any(|member| member.pid == *pid)) {
            break;
        }
        known = members.iter().map(|member| member.pid).collect();
        members = read()?;
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_process_has_gone_those_are_read_again_that_may_have_waited_for_it() {
        let mut buffer = Vec::new();
        let own = Member::read(rustix::process::getpid(), &mut buffer).unwrap().unwrap();
        let member =
            |pid, seconds| Member { pid: Pid::from_raw(pid).unwrap(), cpu_time: Duration::from_secs(seconds), ..own };
        let looks = [vec![member(1, 0), member(3, 1)], vec![member(1, 5)], vec![member(1, 6)], vec![member(1, 7)]];
        let read = |known: &[i32]| {
            let mut looks = looks.iter().cloned();
            let known = known.iter().filter_map(|pid| Pid::from_raw(*pid)).collect();
            let members = settled(known, || Ok(looks.next().unwrap())).unwrap();
            (members.len(), members[0].cpu_time.as_secs())
        };
        assert_eq!(read(&[1]), (2, 0), "nobody has gone");
        assert_eq!(read(&[1, 2]), (1, 6), "the second has, and the third meanwhile");
    }

    fn sampler() -> Sampler {
        Sampler::new(rustix::process::getpgrp(), true, None)
    }

    #[test]
    fn the_percentage_is_that_since_the_last_look() {
        let mut sampler = sampler();
        let begin = Instant::now();
        let at = |millis| begin + Duration::from_millis(millis);
        let percents = [(0, 70), (1_000, 570), (1_001, 571), (2_000, 570), (4_000, 4_570)]
            .map(|(millis, cpu)| sampler.cpu_percent(at(millis), Duration::from_millis(cpu)));
        let rounded = percents.map(|percent| format!("{percent:.1}"));
        assert_eq!(rounded, ["0.0", "50.0", "50.0", "0.0", "200.0"]);
    }

    #[test]
    fn cpu_time_never_falls_when_a_process_is_gone() {
        let mut sampler = sampler();
        let times = [10, 30, 5, 9, 0, 1].map(|seconds| sampler.cpu_time(Duration::from_secs(seconds)).as_secs());
        assert_eq!(times, [10, 30, 30, 34, 34, 35]);
    }

    #[test]
    fn the_own_group_has_plausible_figures() {
        let mut sampler = sampler();
        let usage = sampler.look().unwrap().unwrap().usage;
        assert!(usage.processes >= 1 && usage.threads >= usage.processes, "{usage:?}");
        assert!(usage.memory > 1 << 20 && usage.peak >= usage.memory / usage.processes, "{usage:?}");
        assert!(usage.open_files >= 3 && usage.most_open_files <= usage.open_files, "{usage:?}");
        let near = Sampler::new(rustix::process::getpgrp(), true, Some(1)).look().unwrap().unwrap().usage;
        assert!(near.memory <= usage.peak.max(usage.memory), "{near:?} {usage:?}");
    }
}
