//! Messages without an answer.

use std::time::Instant;

use tokio::sync::oneshot;
use tokio::task::yield_now;

use super::{Sample, sum_below};
use crate::contestant::{Contestant, Side, Tell};
use crate::message::{Finish, Number, Payload, Tally};

/// After how many tells a producer lets others run.
const BURST: u64 = 256;

/// How many messages a bounded mailbox has room for.
const CAPACITY: usize = 1_024;

/// Producers of small messages; they yield now and then, or never.
pub(super) async fn unbounded<C: Contestant, const YIELDS: bool>(
    contestant: &C,
    producers: u32,
    messages: u64,
) -> Result<Option<Sample>, String> {
    let load = Load::new(producers, messages);
    let (tally, finished) = load.tally();
    let Some(counter) = contestant.counter(Side::There, tally).await else { return Ok(None) };
    load.measure::<C, Number, _, YIELDS>(contestant, counter, finished).await
}

/// One producer of large messages.
pub(super) async fn bulk<C: Contestant>(contestant: &C, messages: u64) -> Result<Option<Sample>, String> {
    let load = Load::new(1, messages);
    let (tally, finished) = load.tally();
    let Some(counter) = contestant.bulk(Side::There, tally).await else { return Ok(None) };
    load.measure::<C, Payload, _, true>(contestant, counter, finished).await
}

/// Producers before a mailbox that is full most of the time.
pub(super) async fn bounded<C: Contestant>(
    contestant: &C,
    producers: u32,
    messages: u64,
) -> Result<Option<Sample>, String> {
    let load = Load::new(producers, messages);
    let (tally, finished) = load.tally();
    let Some(counter) = contestant.bounded(Side::There, CAPACITY, tally).await else { return Ok(None) };
    load.measure::<C, Number, _, true>(contestant, counter, finished).await
}

/// How much is told, and by how many.
#[derive(Clone, Copy)]
struct Load {
    producers: u32,
    each: u64,
}

impl Load {
    fn new(producers: u32, messages: u64) -> Self {
        Self { producers, each: messages.div_ceil(u64::from(producers)) }
    }

    fn messages(self) -> u64 {
        u64::from(self.producers) * self.each
    }

    fn tally(self) -> (Tally, oneshot::Receiver<Finish>) {
        Tally::new(self.producers, self.messages())
    }

    /// From the first tell to the moment when the last message has been handled.
    async fn measure<C, M, R, const YIELDS: bool>(
        self,
        contestant: &C,
        counter: R,
        finished: oneshot::Receiver<Finish>,
    ) -> Result<Option<Sample>, String>
    where
        C: Contestant,
        M: From<(u32, u64)> + Send,
        R: Tell<M>,
    {
        let Self { producers, each } = self;
        let started = Instant::now();
        let tasks: Vec<_> = (0..producers)
            .map(|producer| {
                let counter = counter.clone();
                contestant.spawn(Side::Here, async move {
                    for number in 0..each {
                        counter.tell(M::from((producer, number))).await;
                        if YIELDS && number % BURST == BURST - 1 {
                            yield_now().await;
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        let finish = finished.await.map_err(|_| "the actor ended before its last message")?;
        Sample::finished(started, &finish, self.messages(), u64::from(producers) * sum_below(each)).map(Some)
    }
}
