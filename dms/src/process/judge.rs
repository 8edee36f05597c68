//! Whether a process keeps its limits, and how near it is to them.
//!
//! The decision is pure: it knows what is allowed, what is used, and which levels were told.

use super::limits::{Amount, Limit, ResourceLimits};
use super::usage::ResourceUsage;

/// How near a process is to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitLevel {
    /// It uses 80 % of what it may, or more.
    Warning,
    /// It uses 95 % of what it may, or more.
    Critical,
}

impl LimitLevel {
    /// From so many percent on.
    const fn from(self) -> u128 {
        match self {
            Self::Warning => 80,
            Self::Critical => 95,
        }
    }
}

/// So many percent below where a level begins it ends, so that what goes up and down by a hair is told once.
const HYSTERESIS: u128 = 5;

/// Both figures of a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figures {
    pub(crate) limit: Limit,
    pub(crate) allowed: Amount,
    pub(crate) used: Amount,
}

/// Keeps in mind what was told.
#[derive(Debug, Clone)]
pub(crate) struct Judge {
    limits: ResourceLimits,
    /// At which level each limit is, in the order of [`Limit::ALL`].
    levels: [Option<LimitLevel>; Limit::ALL.len()],
    /// The highest peak so far.
    peak: u64,
    /// The percentages of the last looks, the latest first.
    percents: [Option<f64>; 3],
}

impl Judge {
    pub(crate) const fn new(limits: ResourceLimits) -> Self {
        Self { limits, levels: [None; Limit::ALL.len()], peak: 0, percents: [None; 3] }
    }

    /// Takes in what is used now. What came to be near is in the list, each at its highest level; not what was told before, and has not been well below since.
    ///
    /// # Errors
    ///
    /// The first limit that is exceeded.
    pub(crate) fn judge(&mut self, usage: &ResourceUsage) -> Result<Vec<(LimitLevel, Figures)>, Figures> {
        // What was used between the last look and this one, as far as it is known.
        let memory = if usage.peak > self.peak { usage.peak.max(usage.memory) } else { usage.memory };
        self.peak = self.peak.max(usage.peak);
        self.percents = [Some(usage.cpu_percent), self.percents[0], self.percents[1]];
        let mut near = Vec::new();
        for (index, limit) in Limit::ALL.into_iter().enumerate() {
            let Some(allowed) = self.limits.allowed(limit) else { continue };
            let used = match limit {
                Limit::Memory => Amount::Bytes(memory),
                Limit::AddressSpace => Amount::Bytes(usage.address_space),
                Limit::CpuTime => Amount::Time(usage.cpu_time),
                Limit::CpuPercent => match self.percents {
                    [Some(first), Some(second), Some(third)] => Amount::Percent((first + second + third) / 3.0),
                    _ => continue,
                },
                Limit::OpenFiles => Amount::Count(usage.most_open_files),
                Limit::Processes => Amount::Count(usage.processes),
            };
            let figures = Figures { limit, allowed, used };
            if figures.is_over() {
                return Err(figures);
            }
            let before = self.levels[index];
            self.levels[index] = figures.level(before);
            if let Some(level) = self.levels[index].filter(|_| self.levels[index] > before) {
                near.push((level, figures));
            }
        }
        Ok(near)
    }

    /// Judges the number of processes alone, which is counted more often.
    ///
    /// # Errors
    ///
    /// There are more than may be.
    pub(crate) fn judge_processes(&self, processes: u64) -> Result<(), Figures> {
        let Some(allowed) = self.limits.allowed(Limit::Processes) else { return Ok(()) };
        let figures = Figures { limit: Limit::Processes, allowed, used: Amount::Count(processes) };
        if figures.is_over() { Err(figures) } else { Ok(()) }
    }

    /// Judges the memory alone, which is looked at more often.
    ///
    /// # Errors
    ///
    /// It is more than may be.
    pub(crate) fn judge_memory(&self, memory: u64) -> Result<(), Figures> {
        let Some(allowed) = self.limits.allowed(Limit::Memory) else { return Ok(()) };
        let figures = Figures { limit: Limit::Memory, allowed, used: Amount::Bytes(memory) };
        if figures.is_over() { Err(figures) } else { Ok(()) }
    }
}

impl Figures {
    fn is_over(&self) -> bool {
        self.used.units() > self.allowed.units()
    }

    /// The level now, which was `before`.
    fn level(&self, before: Option<LimitLevel>) -> Option<LimitLevel> {
        let levels = [LimitLevel::Critical, LimitLevel::Warning];
        levels.into_iter().find(|level| {
            let is_held = before >= Some(*level);
            let from = level.from() - if is_held { HYSTERESIS } else { 0 };
            self.used.units() > 0 && self.used.units().saturating_mul(100) >= self.allowed.units().saturating_mul(from)
        })
    }
}

impl Amount {
    /// It as a whole number, to be compared with others of its kind.
    fn units(self) -> u128 {
        match self {
            Self::Bytes(number) | Self::Count(number) => number.into(),
            Self::Time(time) => time.as_nanos(),
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the cast saturates, and no percentage is below zero"
            )]
            Self::Percent(percent) => (percent * 1_000.0) as u128,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// Usage with this much memory, and nothing else.
    fn memory(memory: u64) -> ResourceUsage {
        ResourceUsage { memory, peak: memory, ..ResourceUsage::default() }
    }

    /// What is told of the memory, by level, for a limit of 100.
    fn told(judge: &mut Judge, used: u64) -> Option<LimitLevel> {
        let near = judge.judge(&memory(used)).unwrap();
        assert!(near.len() <= 1);
        near.first().map(|(level, figures)| {
            let (allowed, used) = (Amount::Bytes(100), Amount::Bytes(used));
            assert_eq!(*figures, Figures { limit: Limit::Memory, allowed, used });
            *level
        })
    }

    #[test]
    fn each_crossing_is_told_once_until_it_is_well_below_again() {
        let mut judge = Judge::new(ResourceLimits::new().memory(100));
        let steps = [
            (79, None),
            (80, Some(LimitLevel::Warning)),
            (94, None),
            (79, None),
            (76, None),
            (80, None),
            (95, Some(LimitLevel::Critical)),
            (91, None),
            (95, None),
            (89, None),
            (95, Some(LimitLevel::Critical)),
            (74, None),
            (96, Some(LimitLevel::Critical)),
            (74, None),
            (80, Some(LimitLevel::Warning)),
            (100, Some(LimitLevel::Critical)),
        ];
        for (step, (used, expected)) in steps.into_iter().enumerate() {
            // Below what it has been, the peak says nothing new.
            let usage = ResourceUsage { peak: 100, ..memory(used) };
            judge.peak = 100;
            let near = judge.judge(&usage).unwrap();
            assert_eq!(near.first().map(|(level, _)| *level), expected, "step {step}: {used}");
        }
    }

    #[test]
    fn both_figures_are_told() {
        let mut judge = Judge::new(ResourceLimits::new().memory(100));
        assert_eq!(told(&mut judge, 85), Some(LimitLevel::Warning));
        assert_eq!(told(&mut judge, 99), Some(LimitLevel::Critical));
        let over = judge.judge(&memory(101)).unwrap_err();
        assert_eq!((over.allowed, over.used), (Amount::Bytes(100), Amount::Bytes(101)));
    }

    #[test]
    fn exactly_the_limit_is_not_over_it() {
        for (limits, usage) in [
            (ResourceLimits::new().memory(9), memory(9)),
            (ResourceLimits::new().address_space(9), ResourceUsage { address_space: 9, ..memory(0) }),
            (
                ResourceLimits::new().cpu_time(Duration::from_secs(9)),
                ResourceUsage { cpu_time: Duration::from_secs(9), ..memory(0) },
            ),
            (ResourceLimits::new().open_files(9), ResourceUsage { most_open_files: 9, ..memory(0) }),
            (ResourceLimits::new().processes(9), ResourceUsage { processes: 9, ..memory(0) }),
        ] {
            let near = Judge::new(limits).judge(&usage).unwrap();
            assert_eq!(near.len(), 1, "{limits:?}");
            assert_eq!(near[0].0, LimitLevel::Critical);
        }
    }

    #[test]
    fn what_was_used_between_two_looks_is_over_too() {
        let mut judge = Judge::new(ResourceLimits::new().memory(100));
        judge.judge(&memory(50)).unwrap();
        let over = judge.judge(&ResourceUsage { peak: 200, ..memory(50) }).unwrap_err();
        assert_eq!(over.used, Amount::Bytes(200));
    }

    #[test]
    fn a_percentage_is_judged_by_three_looks() {
        let busy = |cpu_percent| ResourceUsage { cpu_percent, ..memory(0) };
        let mut judge = Judge::new(ResourceLimits::new().cpu_percent(20));
        for cpu_percent in [0.0, 59.9, 0.0, 0.0, 0.0] {
            judge.judge(&busy(cpu_percent)).unwrap();
        }
        assert!(judge.judge(&busy(30.0)).is_ok());
        let over = judge.judge(&busy(90.0)).unwrap_err();
        assert_eq!((over.limit, over.used), (Limit::CpuPercent, Amount::Percent(40.0)));
        let mut judge = Judge::new(ResourceLimits::new().cpu_percent(20));
        assert!(judge.judge(&busy(100.0)).is_ok() && judge.judge(&busy(100.0)).is_ok());
        assert!(judge.judge(&busy(100.0)).is_err());
    }

    #[test]
    fn without_a_limit_nothing_is_near_it() {
        let usage = ResourceUsage { memory: u64::MAX, peak: u64::MAX, processes: u64::MAX, ..memory(0) };
        assert_eq!(Judge::new(ResourceLimits::new()).judge(&usage), Ok(Vec::new()));
    }

    /// The same as a rule for each level on its own: it is held from 80 (95) % until below 75 (90) %, and what is told is that one more is held than before.
    fn naive(allowed: u64, looks: &[u64]) -> Vec<Result<Option<LimitLevel>, ()>> {
        let mut held = (false, false);
        let mut told = Vec::new();
        for used in looks {
            if used > &allowed {
                told.push(Err(()));
                continue;
            }
            let reaches =
                |percent: u64| *used > 0 && u128::from(*used) * 100 >= u128::from(allowed) * u128::from(percent);
            let now = (reaches(80) || held.0 && reaches(75), reaches(95) || held.1 && reaches(90));
            told.push(Ok(match (held, now) {
                ((_, false), (_, true)) => Some(LimitLevel::Critical),
                ((false, _), (true, _)) => Some(LimitLevel::Warning),
                _ => None,
            }));
            held = now;
        }
        told
    }

    proptest! {
        #[test]
        fn any_looks_are_judged_as_by_the_naive_model(
            allowed in prop_oneof![0..120u64, any::<u64>()],
            parts in proptest::collection::vec(0..110u64, 0..60),
        ) {
            let looks: Vec<u64> = parts
                .iter()
                .map(|part| u64::try_from(u128::from(allowed) * u128::from(*part) / 100).unwrap_or(u64::MAX))
                .collect();
            let mut judge = Judge::new(ResourceLimits::new().processes(allowed));
            let told: Vec<_> = looks
                .iter()
                .map(|processes| {
                    let usage = ResourceUsage { processes: *processes, ..ResourceUsage::default() };
                    judge.judge(&usage).map(|near| near.first().map(|(level, _)| *level)).map_err(drop)
                })
                .collect();
            prop_assert_eq!(told, naive(allowed, &looks));
        }
    }
}
