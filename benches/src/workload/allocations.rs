//! How often memory is taken from the heap.

use tokio::task::yield_now;

use super::{Sample, as_float, ask};
use crate::allocations::Allocations;
use crate::contestant::{Contestant, Side, Tell};
use crate::message::{Number, Tally};

/// How many messages are told before they are handled: few enough for every actor to handle all in its turn.
const BURST: u64 = 32;

/// By a tell, in a steady state: bursts, each handled before the next.
pub(super) async fn tell<C: Contestant>(contestant: &C, messages: u64) -> Result<Option<Sample>, String> {
    let bursts = messages.div_ceil(BURST);
    let messages = bursts * BURST;
    let (tally, finished) = Tally::new(1, 2 * messages);
    let Some(counter) = contestant.counter(Side::Here, tally).await else { return Ok(None) };
    let mut before = None;
    for burst in 0..2 * bursts {
        // The first half brings the steady state about.
        if burst == bursts {
            before = Allocations::now();
        }
        for number in burst * BURST..(burst + 1) * BURST {
            counter.tell(Number { producer: 0, number }).await;
        }
        yield_now().await;
    }
    finished.await.map_err(|_| "the actor ended before its last message")?;
    sample(before, messages).map(Some)
}

/// By an ask, in a steady state.
pub(super) async fn ask<C: Contestant>(contestant: &C, asks: u64) -> Result<Sample, String> {
    let clerk = contestant.clerk(Side::Here).await;
    ask::ask_each(&clerk, asks).await?;
    let before = Allocations::now();
    ask::ask_each(&clerk, asks).await?;
    sample(before, asks)
}

fn sample(before: Option<Allocations>, operations: u64) -> Result<Sample, String> {
    let (Some(before), Some(after)) = (before, Allocations::now()) else { return Err(Allocations::uncounted()) };
    Ok(Sample::new(as_float(after.count - before.count) / as_float(operations), operations))
}
