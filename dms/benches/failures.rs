//! What a module that fails costs its neighbour, and a reload those who ask: `cargo bench -p dms --bench failures`.
//!
//! A calm module is asked, again and again, while another one on the same two threads gets 100,000 messages in a second; of those none panics, or every tenth, after which the
//! module is started again at once. Rounds of both take turns in one process; it prints the medians of the
//! rounds' percentiles of an ask, and their ratio.
//!
//! Then four tasks ask a module, again and again, while it is reloaded a thousand times; it prints percentiles of the pauses, and of the asks.

#![allow(clippy::disallowed_methods, reason = "the load comes from plain Tokio tasks, each awaited")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dms::prelude::*;
use dms::recovery::{Backoff, Restart};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::interval;

const PERCENTILES: [f64; 2] = [99.0, 99.9];

/// How many messages the other one gets in a millisecond.
const A_MILLISECOND: u64 = 100;

/// What the panics say that belong to the measurement.
const TOO_MUCH: &str = "too much";

#[module]
struct Calm;

#[module]
impl Calm {
    #[handler(Ping)]
    async fn ping(&mut self) {}
}

#[module]
struct Flaky;

#[module]
impl Flaky {
    #[handler(Work)]
    fn work(&mut self, number: u64, panics: bool) {
        assert!(!panics || !number.is_multiple_of(10), "{TOO_MUCH}");
    }
}

#[module(flags(HOT_RELOADABLE))]
struct Steady;

#[module]
impl Steady {
    #[handler(Ask)]
    async fn ask_it(&mut self) {}
}

fn main() {
    // As `cargo test` calls it: to see that it runs.
    let is_test = std::env::args().any(|argument| argument == "--test");
    let (rounds, messages) = if is_test { (1, 1_000) } else { (9, 100_000) };
    // Ten thousand times the same text tells nobody anything, and writing it is not what is measured.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str() != Some(TOO_MUCH) {
            hook(panic);
        }
    }));
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let (mut calm, mut panicking) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // Whoever is first in a round is not always the same.
        for panics in [round % 2 == 0, round % 2 != 0] {
            let percentiles = measure(&runtime, messages, panics);
            if panics { panicking.push(percentiles) } else { calm.push(percentiles) }
        }
    }
    for (index, percentile) in PERCENTILES.into_iter().enumerate() {
        let [without, with] =
            [&calm, &panicking].map(|rounds| median(rounds.iter().map(|round| round[index]).collect()));
        let ratio = with.as_secs_f64() / without.as_secs_f64();
        println!(
            "an ask of the calm module, {percentile} %: {without:?} without panics, {with:?} with; ratio {ratio:.2}"
        );
    }
    let (pauses, asks) = reload(&runtime, if is_test { 10 } else { 1_000 });
    for (name, values) in [("the pause of a reload", pauses), ("an ask meanwhile", asks)] {
        for (percentile, value) in PERCENTILES.into_iter().zip(percentiles(values)) {
            println!("{name}, {percentile} %: {value:?}");
        }
    }
}

/// The pauses of so many reloads, and what asks took meanwhile.
fn reload(runtime: &Runtime, reloads: u32) -> (Vec<Duration>, Vec<Duration>) {
    runtime.block_on(async {
        let system = System::new();
        let steady = system.register_module(Steady).await.expect("it starts");
        let is_over = Arc::new(AtomicBool::new(false));
        let mut asking = JoinSet::new();
        for _ in 0..4 {
            let (steady, is_over) = (steady.clone(), Arc::clone(&is_over));
            asking.spawn(async move {
                let mut took = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    steady.ask(Ask).await.expect("an answer");
                    took.push(begun.elapsed());
                }
                took
            });
        }
        let mut interval = interval(Duration::from_millis(1));
        let mut pauses = Vec::new();
        for _ in 0..reloads {
            interval.tick().await;
            pauses.push(steady.reload(Steady).await.expect("it is reloaded").pause);
        }
        is_over.store(true, Ordering::Relaxed);
        let asks = asking.join_all().await.concat();
        system.shutdown().await;
        (pauses, asks)
    })
}

/// The percentiles of what an ask of the calm module takes while the other one works.
fn measure(runtime: &Runtime, messages: u64, panics: bool) -> [Duration; 2] {
    runtime.block_on(async {
        let restart = Restart::on_failure()
            .max_restarts(u32::MAX, Duration::from_secs(1))
            .backoff(Backoff::new(Duration::ZERO, Duration::ZERO));
        let system = System::new();
        let calm = system.register_module(Calm).await.expect("it starts");
        let flaky = system.register_with(|_| Flaky).restart(restart).await.expect("it starts");
        let work = tokio::spawn(async move {
            let mut interval = interval(Duration::from_millis(1));
            for number in 0..messages {
                if number.is_multiple_of(A_MILLISECOND) {
                    interval.tick().await;
                }
                flaky.send(Work { number, panics }).await.expect("it is there");
            }
            // The last one is none that panics.
            flaky.ask(Work { number: 1, panics }).no_timeout().await.expect("an answer");
        });
        let asks = tokio::spawn(async move {
            let mut took = Vec::new();
            while !work.is_finished() {
                tokio::task::yield_now().await;
                let begun = Instant::now();
                calm.ask(Ping).await.expect("an answer");
                took.push(begun.elapsed());
            }
            work.await.expect("it worked");
            took
        });
        let took = asks.await.expect("it asked");
        system.shutdown().await;
        percentiles(took)
    })
}

fn percentiles(mut values: Vec<Duration>) -> [Duration; 2] {
    values.sort_unstable();
    PERCENTILES.map(|percentile| {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "an index"
        )]
        let index = ((values.len() - 1) as f64 * percentile / 100.0) as usize;
        values[index]
    })
}

fn median(mut values: Vec<Duration>) -> Duration {
    values.sort_unstable();
    values[values.len() / 2]
}
