//! What is measured.
//!
//! A `Workload` is run by `Job::perform`, generic over the contestant. Its measure is one number: time, bytes or allocations for each operation.

mod allocations;
mod ask;
mod idle;
mod ring;
mod spawn;
mod tell;
mod ticks;

use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::contestant::{Contestant, Flavor};
use crate::message::{Finish, Totals};

/// The workloads by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Workload {
    /// Tell, one producer.
    Tell,
    /// Tell, one producer that never yields, so that messages pile up.
    TellBacklog,
    /// Tell, 4 producers.
    #[value(name = "tell-4")]
    #[serde(rename = "tell-4")]
    TellFour,
    /// Tell, 16 producers.
    #[value(name = "tell-16")]
    #[serde(rename = "tell-16")]
    TellSixteen,
    /// Tell 64 bytes, one producer.
    #[value(name = "tell-64-bytes")]
    #[serde(rename = "tell-64-bytes")]
    TellPayload,
    /// Tell, 4 producers, a mailbox with room for 1,024.
    Bounded,
    /// Ask, one after the other.
    Ask,
    /// 64 askers of one actor.
    #[value(name = "ask-64-on-1")]
    #[serde(rename = "ask-64-on-1")]
    AskManyOnOne,
    /// 64 askers, each of an actor of its own.
    #[value(name = "ask-64-on-64")]
    #[serde(rename = "ask-64-on-64")]
    AskManyOnMany,
    /// A hop between two actors.
    PingPong,
    /// A hop in a ring of 1,000 actors.
    Ring,
    /// Spawn an actor, ask it once, stop it.
    Spawn,
    /// CPU time of a tick, with 10,000 actors that take one each 10 ms.
    Ticks,
    /// Heap bytes of an actor that has had no message yet, 64 of them its state.
    Idle,
    /// Heap bytes of an actor that has answered once, 64 of them its state.
    IdleAsked,
    /// Allocations of a tell.
    AllocationsTell,
    /// Allocations of an ask.
    AllocationsAsk,
}

/// What a workload's number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    /// Time that passed, in nanoseconds.
    Nanoseconds,
    /// Time that processors worked, in nanoseconds.
    CpuNanoseconds,
    /// Bytes on the heap.
    Bytes,
    /// How often memory is taken from the heap.
    Allocations,
}

impl Workload {
    /// What it is called in a report.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Tell => "tell, 1 producer",
            Self::TellBacklog => "tell, backlog (no yield)",
            Self::TellFour => "tell, 4 producers",
            Self::TellSixteen => "tell, 16 producers",
            Self::TellPayload => "tell, 64 bytes",
            Self::Bounded => "tell, bounded 1,024, 4 producers",
            Self::Ask => "ask, sequential",
            Self::AskManyOnOne => "ask, 64 on 1",
            Self::AskManyOnMany => "ask, 64 on 64",
            Self::PingPong => "ping-pong, a hop",
            Self::Ring => "ring of 1,000, a hop",
            Self::Spawn => "spawn + ask + stop",
            Self::Ticks => "10,000 ticks each 10 ms, CPU a tick",
            Self::Idle => "idle actor, never used",
            Self::IdleAsked => "idle actor, asked once",
            Self::AllocationsTell => "allocations, tell",
            Self::AllocationsAsk => "allocations, ask",
        }
    }

    /// What its number is.
    pub(crate) fn unit(self) -> Unit {
        match self {
            Self::Ticks => Unit::CpuNanoseconds,
            Self::Idle | Self::IdleAsked => Unit::Bytes,
            Self::AllocationsTell | Self::AllocationsAsk => Unit::Allocations,
            _ => Unit::Nanoseconds,
        }
    }

    /// Whether it needs an allocator that counts.
    pub(crate) fn is_about_memory(self) -> bool {
        matches!(self.unit(), Unit::Bytes | Unit::Allocations)
    }

    /// On which runtimes it is measured.
    pub(crate) fn flavors(self) -> &'static [Flavor] {
        match self.unit() {
            Unit::Nanoseconds => &[Flavor::Mt, Flavor::Ct],
            Unit::CpuNanoseconds => &[Flavor::Mt],
            Unit::Bytes | Unit::Allocations => &[Flavor::Ct],
        }
    }

    /// How many operations a full measurement has.
    pub(crate) fn operations(self) -> u64 {
        match self {
            Self::Tell | Self::TellBacklog | Self::TellPayload => 1_500_000,
            Self::TellFour | Self::TellSixteen | Self::Bounded => 1_200_000,
            Self::Ask => 400_000,
            Self::AskManyOnOne | Self::AskManyOnMany | Self::PingPong => 800_000,
            Self::Ring => 600_000,
            Self::Ticks => 2_000_000,
            Self::Idle | Self::IdleAsked => 10_000,
            Self::Spawn | Self::AllocationsTell | Self::AllocationsAsk => 100_000,
        }
    }
}

/// One measurement to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    /// Of what.
    pub(crate) workload: Workload,
    /// On what.
    pub(crate) flavor: Flavor,
    /// With how many operations.
    pub(crate) operations: u64,
}

/// One measurement that was made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// The number that is compared, for one operation.
    pub(crate) value: f64,
    /// How many operations it is the mean of.
    pub(crate) operations: u64,
    /// Of these messages, how many were handled after a later one of the same producer.
    #[serde(default)]
    pub(crate) out_of_order: u64,
    /// How long single operations took, where that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) latency: Option<Latency>,
    /// Of the ticks that were due, the part that came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kept_up: Option<f64>,
}

/// How long single operations took, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latency {
    /// Half of them took no longer.
    pub(crate) p50: f64,
    /// All but one in a hundred took no longer.
    pub(crate) p99: f64,
}

impl Sample {
    /// `value` for each of so many operations.
    pub(crate) fn new(value: f64, operations: u64) -> Self {
        Self { value, operations, out_of_order: 0, latency: None, kept_up: None }
    }

    /// A time for each of so many operations.
    pub(crate) fn time(elapsed: Duration, operations: u64) -> Self {
        Self::new(nanoseconds(elapsed) / as_float(operations), operations)
    }

    /// The time from `started` to the end of a workload, if all its messages arrived: so many, with this sum.
    pub(crate) fn finished(started: Instant, finish: &Finish, count: u64, sum: u64) -> Result<Self, String> {
        let Totals { out_of_order, .. } = finish.totals;
        if finish.totals != (Totals { count, sum, out_of_order }) {
            return Err(format!("expected {count} messages with the sum {sum}, got {:?}", finish.totals));
        }
        Ok(Self { out_of_order, ..Self::time(finish.at - started, count) })
    }
}

impl Job {
    /// Makes the measurement; nothing if the contestant has no such thing.
    pub(crate) fn perform<C: Contestant>(self) -> Result<Option<Sample>, String> {
        let Self { workload, flavor, operations } = self;
        C::run(flavor, move |contestant| async move {
            // What is timed runs twice, the first time for a tenth as long, so that nothing is new to the process.
            if workload.unit() == Unit::Nanoseconds {
                run(workload, &contestant, operations / 10).await?;
            }
            run(workload, &contestant, operations).await
        })
    }
}

async fn run<C: Contestant>(workload: Workload, contestant: &C, operations: u64) -> Result<Option<Sample>, String> {
    match workload {
        Workload::Tell => tell::unbounded::<C, true>(contestant, 1, operations).await,
        Workload::TellBacklog => tell::unbounded::<C, false>(contestant, 1, operations).await,
        Workload::TellFour => tell::unbounded::<C, true>(contestant, 4, operations).await,
        Workload::TellSixteen => tell::unbounded::<C, true>(contestant, 16, operations).await,
        Workload::TellPayload => tell::bulk(contestant, operations).await,
        Workload::Bounded => tell::bounded(contestant, 4, operations).await,
        Workload::Ask => ask::sequential(contestant, operations).await.map(Some),
        Workload::AskManyOnOne => ask::many(contestant, 64, 1, operations).await.map(Some),
        Workload::AskManyOnMany => ask::many(contestant, 64, 64, operations).await.map(Some),
        Workload::PingPong => ring::pass(contestant, 2, operations).await.map(Some),
        Workload::Ring => ring::pass(contestant, 1_000, operations).await.map(Some),
        Workload::Spawn => spawn::sequential(contestant, operations).await.map(Some),
        Workload::Ticks => ticks::cpu(contestant, operations).await.map(Some),
        Workload::Idle => idle::heap(contestant, operations, false).await.map(Some),
        Workload::IdleAsked => idle::heap(contestant, operations, true).await.map(Some),
        Workload::AllocationsTell => allocations::tell(contestant, operations).await,
        Workload::AllocationsAsk => allocations::ask(contestant, operations).await.map(Some),
    }
}

/// A duration in nanoseconds.
pub(crate) fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

/// A count as a floating-point number.
#[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(crate) fn as_float(count: u64) -> f64 {
    count as f64
}

/// The sum of 0, 1, …, `count - 1`.
fn sum_below(count: u64) -> u64 {
    count * count.saturating_sub(1) / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contestant::Name;

    /// Who has no such thing.
    fn has_none(contestant: Name, workload: Workload) -> bool {
        let tells = matches!(
            workload,
            Workload::Tell
                | Workload::TellBacklog
                | Workload::TellFour
                | Workload::TellSixteen
                | Workload::TellPayload
                | Workload::Bounded
                | Workload::AllocationsTell
        );
        (contestant == Name::Murmer && tells) || (contestant == Name::Ractor && workload == Workload::Bounded)
    }

    #[test]
    fn every_contestant_performs_every_workload() {
        for contestant in Name::value_variants().iter().copied() {
            if contestant == Name::Murmer && cfg!(not(feature = "murmer")) {
                continue;
            }
            for workload in Workload::value_variants().iter().copied() {
                for flavor in workload.flavors().iter().copied() {
                    let of = format!("{contestant:?}, {workload:?}, {flavor:?}");
                    let job = Job { workload, flavor, operations: 600 };
                    let sample = contestant.perform(job).unwrap_or_else(|error| panic!("{of}: {error}"));
                    let Some(sample) = sample else {
                        assert!(has_none(contestant, workload), "{of}: none");
                        continue;
                    };
                    assert!(!has_none(contestant, workload), "{of}: {sample:?}");
                    // How many ticks come is a matter of time, and nobody else's.
                    assert!(sample.operations >= 600 || workload == Workload::Ticks, "{of}: {sample:?}");
                    assert!(sample.value.is_finite(), "{of}: {sample:?}");
                    assert!(sample.out_of_order == 0 || contestant == Name::Xtra, "{of}: {sample:?}");
                }
            }
        }
    }

    #[test]
    fn a_message_too_few_is_noticed() {
        let started = Instant::now();
        let finish = Finish { at: started, totals: Totals { count: 9, sum: 36, out_of_order: 0 } };
        assert!(Sample::finished(started, &finish, 9, 36).is_ok());
        assert!(Sample::finished(started, &finish, 10, 45).is_err());
        assert!(Sample::finished(started, &finish, 9, 37).is_err());
    }
}
