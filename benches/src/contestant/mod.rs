//! The contestants: each writes the same actors in its own way.
//!
//! Nothing here is dynamic: workloads are generic over the [`Contestant`], so what is measured is the contestant alone.

mod actix;
mod dms;
mod dms_open;
mod kameo;
#[cfg(feature = "murmer")]
mod murmer;
mod ractor;
mod tokio;
mod xtra;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::tokio::runtime::{Builder, Runtime};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::message::{Ball, Kept, Number, Passing, Payload, Tally};
use crate::workload::{Job, Sample};

/// How tasks are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Flavor {
    /// The multi-thread runtime with two workers.
    Mt,
    /// The current-thread runtime.
    Ct,
}

impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mt => "mt",
            Self::Ct => "ct",
        })
    }
}

impl Flavor {
    /// What it is called in a report.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Mt => "Multi-thread runtime, 2 workers",
            Self::Ct => "Current-thread runtime",
        }
    }

    /// The Tokio runtime of this flavor.
    fn tokio(self) -> Runtime {
        let mut builder = match self {
            Self::Mt => Builder::new_multi_thread(),
            Self::Ct => Builder::new_current_thread(),
        };
        builder.worker_threads(2).enable_all().build().expect("a runtime")
    }

    /// Runs work to its end, as a task of a Tokio runtime of this flavor.
    fn run<F>(self, work: F) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.tokio().block_on(async { ::tokio::spawn(work).await.expect("the work does not panic") })
    }
}

/// On which of two threads something is, for those who do not move actors between threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Where the workload runs.
    Here,
    /// On the other thread, where there is one.
    There,
}

impl Side {
    /// The side of the part `index` of `count` that are divided evenly: the first half is here.
    pub(crate) fn half(index: usize, count: usize) -> Self {
        if index < count.div_ceil(2) { Self::Here } else { Self::There }
    }
}

/// A way to write actors.
pub(crate) trait Contestant: Clone + Send + Sync + 'static {
    /// Adds up the numbers that it is told.
    type Counter: Tell<Number>;
    /// Answers questions: a counter, where a counter can be told and asked.
    type Clerk: Ask;
    /// As `Counter`, with room for a limited number of messages.
    type Bounded: Tell<Number>;
    /// Adds up numbers in messages of 64 bytes.
    type Bulk: Tell<Payload>;
    /// Passes balls on.
    type Player: Tell<Ball> + Join;
    /// Keeps 64 bytes, and answers questions.
    type Keeper: Ask + Stop;
    /// Whatever has to be held so that ticks go on.
    type Ticker: Send;

    /// Makes a runtime, and runs the work on it.
    fn run<F>(flavor: Flavor, work: impl FnOnce(Self) -> F + Send + 'static) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static;

    /// Runs a producer beside the workload.
    fn spawn<F>(&self, side: Side, future: F) -> impl Future<Output = F::Output> + Send
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let _ = side;
        let task = ::tokio::spawn(future);
        async { task.await.expect("a producer does not panic") }
    }

    /// Starts a counter with a mailbox without bound; nothing where messages always have an answer.
    fn counter(&self, side: Side, tally: Tally) -> impl Future<Output = Option<Self::Counter>> + Send;

    /// Starts a clerk.
    fn clerk(&self, side: Side) -> impl Future<Output = Self::Clerk> + Send;

    /// Starts a counter whose mailbox has room for `capacity` messages, and whose senders wait for room; nothing where there are no such mailboxes.
    fn bounded(&self, side: Side, capacity: usize, tally: Tally) -> impl Future<Output = Option<Self::Bounded>> + Send;

    /// Starts a counter of large messages; nothing where messages always have an answer.
    fn bulk(&self, side: Side, tally: Tally) -> impl Future<Output = Option<Self::Bulk>> + Send;

    /// Starts a player, who does not know yet whom to pass to.
    fn player(&self, side: Side, passing: Passing) -> impl Future<Output = Self::Player> + Send;

    /// Starts a keeper.
    fn keeper(&self, side: Side, kept: Kept) -> impl Future<Output = Self::Keeper> + Send;

    /// Starts an actor that takes a tick each `period`, and counts it.
    fn ticker(&self, side: Side, period: Duration, ticks: Ticks) -> impl Future<Output = Self::Ticker> + Send;
}

/// A reference to an actor that takes `M` and gives no answer.
pub(crate) trait Tell<M>: Clone + Send + Sync + 'static {
    /// Sends the message; returns once it is in the mailbox.
    fn tell(&self, message: M) -> impl Future<Output = ()> + Send;
}

/// A reference to an actor that answers.
pub(crate) trait Ask: Send + Sync + 'static {
    /// Sends a [`Question`](crate::message::Question) with this number, and waits for the answer.
    fn ask(&self, number: u64) -> impl Future<Output = u64> + Send;
}

/// A reference to an actor that passes balls to another.
pub(crate) trait Join {
    /// Says to whom; returns once the player knows.
    fn join(&self, next: &Self) -> impl Future<Output = ()> + Send;
}

/// A reference to an actor that can be stopped.
pub(crate) trait Stop {
    /// Stops the actor; returns once it has ended.
    fn stop(self) -> impl Future<Output = ()> + Send;
}

/// The reference to an actor that a contestant cannot have.
#[derive(Clone, Debug)]
pub(crate) enum Never {}

impl<M: Send> Tell<M> for Never {
    async fn tell(&self, _: M) {
        match *self {}
    }
}

/// How many ticks one actor has had.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticks(Arc<AtomicU64>);

impl Ticks {
    /// Counts one more.
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were.
    pub(crate) fn counted(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The contestants by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Name {
    /// Tokio's channels and a `match`, by hand: the floor.
    Tokio,
    /// dms, with the enum that `#[module]` writes.
    Dms,
    /// dms, with an open set of messages: `DynMessage`.
    DmsOpen,
    /// kameo.
    Kameo,
    /// ractor.
    Ractor,
    /// actix.
    Actix,
    /// xtra.
    Xtra,
    /// murmer.
    Murmer,
}

impl Name {
    /// What all others are compared with.
    pub(crate) const FLOOR: Self = Self::Tokio;

    /// What it is called in a report.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Tokio => "by hand",
            Self::DmsOpen => "dms, open set",
            _ => self.package(),
        }
    }

    /// The package that it comes from.
    pub(crate) fn package(self) -> &'static str {
        match self {
            Self::Tokio => "tokio",
            Self::Dms | Self::DmsOpen => "dms",
            Self::Kameo => "kameo",
            Self::Ractor => "ractor",
            Self::Actix => "actix",
            Self::Xtra => "xtra",
            Self::Murmer => "murmer",
        }
    }

    /// Whether it is one of the frameworks among which the best is sought.
    pub(crate) fn is_established(self) -> bool {
        matches!(self, Self::Kameo | Self::Ractor | Self::Actix | Self::Xtra)
    }

    /// Runs a job in this process.
    pub(crate) fn perform(self, job: Job) -> Result<Option<Sample>, String> {
        match self {
            Self::Tokio => job.perform::<tokio::ByHand>(),
            Self::Dms => job.perform::<dms::Dms>(),
            Self::DmsOpen => job.perform::<dms_open::DmsOpen>(),
            Self::Kameo => job.perform::<kameo::Kameo>(),
            Self::Ractor => job.perform::<ractor::Ractor>(),
            Self::Actix => job.perform::<actix::Actix>(),
            Self::Xtra => job.perform::<xtra::Xtra>(),
            #[cfg(feature = "murmer")]
            Self::Murmer => job.perform::<murmer::Murmer>(),
            #[cfg(not(feature = "murmer"))]
            Self::Murmer => Err("murmer is in a program of its own".to_owned()),
        }
    }
}
