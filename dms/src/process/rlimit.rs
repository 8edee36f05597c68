//! The limits that the kernel holds, as they are set between fork and exec.

use rustix::process::{Resource, Rlimit, getrlimit};

use super::limits::ResourceLimits;

/// What is to be set, computed before the fork: behind it nothing may be allocated.
///
/// A limit that is already lower for us is kept, since only root could raise it. CPU time has a second between the signal that a program can catch and the kill.
pub(crate) fn rlimits(limits: &ResourceLimits) -> Vec<(Resource, Rlimit)> {
    let seconds = limits.cpu_time.map(|time| time.as_secs() + u64::from(time.subsec_nanos() > 0));
    // Zero would be taken as one second by Linux, and as none at all elsewhere.
    let seconds = seconds.map(|seconds| seconds.max(1));
    [(Resource::As, limits.address_space, 0), (Resource::Nofile, limits.open_files, 0), (Resource::Cpu, seconds, 1)]
        .into_iter()
        .filter_map(|(resource, soft, beyond)| {
            let soft = soft?;
            let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
            let hard = soft.saturating_add(beyond).min(most);
            Some((resource, Rlimit { current: Some(soft.min(most)), maximum: Some(hard) }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_is_limited_is_set() {
        assert_eq!(rlimits(&ResourceLimits::new()), []);
        assert_eq!(rlimits(&ResourceLimits::new().memory(1).processes(1).cpu_percent(1)), []);
    }

    #[test]
    fn cpu_time_is_rounded_up_and_leaves_a_second_before_the_kill() {
        let of = |millis| rlimits(&ResourceLimits::new().cpu_time(Duration::from_millis(millis)));
        let seconds = |soft: u64| vec![(Resource::Cpu, Rlimit { current: Some(soft), maximum: Some(soft + 1) })];
        assert_eq!(of(0), seconds(1));
        assert_eq!(of(1_000), seconds(1));
        assert_eq!(of(1_001), seconds(2));
    }

    #[test]
    fn what_is_already_lower_is_kept() {
        let most = getrlimit(Resource::Nofile).maximum.expect("a process has a bound on its files");
        let expected = Rlimit { current: Some(most), maximum: Some(most) };
        assert_eq!(rlimits(&ResourceLimits::new().open_files(u64::MAX)), [(Resource::Nofile, expected)]);
        let expected = Rlimit { current: Some(16), maximum: Some(16) };
        assert_eq!(rlimits(&ResourceLimits::new().open_files(16)), [(Resource::Nofile, expected)]);
    }
}
