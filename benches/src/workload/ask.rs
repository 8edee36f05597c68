//! Messages with an answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Latency, Sample, nanoseconds, sum_below};
use crate::contestant::{Ask, Contestant, Side};

/// One asker; afterwards it takes the time of single asks.
pub(super) async fn sequential<C: Contestant>(contestant: &C, asks: u64) -> Result<Sample, String> {
    let clerk = contestant.clerk(Side::There).await;
    contestant
        .spawn(Side::Here, async move {
            let started = Instant::now();
            ask_each(&clerk, asks).await?;
            let sample = Sample::time(started.elapsed(), asks);
            Ok(Sample { latency: Some(latency(&clerk, asks / 4).await), ..sample })
        })
        .await
}

/// Several askers, each with one ask at a time, dealt out to the actors.
pub(super) async fn many<C: Contestant>(
    contestant: &C,
    askers: usize,
    actors: usize,
    asks: u64,
) -> Result<Sample, String> {
    let each = asks.div_ceil(askers as u64);
    let mut clerks = Vec::with_capacity(actors);
    for index in 0..actors {
        // One actor is on the other side than its askers; of many, each is where its asker is.
        let side = if actors == 1 { Side::There } else { Side::half(index, actors) };
        clerks.push(Arc::new(contestant.clerk(side).await));
    }
    let started = Instant::now();
    let tasks: Vec<_> = (0..askers)
        .map(|index| {
            let clerk = Arc::clone(&clerks[index % actors]);
            let side = if actors == 1 { Side::Here } else { Side::half(index, askers) };
            contestant.spawn(side, async move { ask_each(&*clerk, each).await })
        })
        .collect();
    for task in tasks {
        task.await?;
    }
    Ok(Sample::time(started.elapsed(), each * askers as u64))
}

/// Asks so many times, and checks the answers.
pub(super) async fn ask_each(actor: &impl Ask, asks: u64) -> Result<(), String> {
    let mut sum = 0;
    for number in 0..asks {
        sum += actor.ask(number).await;
    }
    let expected = sum_below(asks) + asks;
    if sum == expected { Ok(()) } else { Err(format!("{asks} answers came to {sum}, not to {expected}")) }
}

async fn latency(actor: &impl Ask, asks: u64) -> Latency {
    let mut times: Vec<Duration> = Vec::with_capacity(usize::try_from(asks).expect("a number of asks"));
    for number in 0..asks {
        let started = Instant::now();
        actor.ask(number).await;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    let part = |hundredths: usize| times.get(times.len() * hundredths / 100).copied().map_or(0.0, nanoseconds);
    Latency { p50: part(50), p99: part(99) }
}
