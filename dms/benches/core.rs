//! A tell, an ask and a spawn beside a hand-written Tokio actor: `cargo bench -p dms`.
//!
//! Each pair runs one after the other in one process, on a current-thread runtime; compare within a pair.
#![allow(missing_docs, reason = "criterion's macros write undocumented items")]
#![allow(clippy::disallowed_methods, reason = "what is measured against is a plain Tokio task")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dms::prelude::*;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

/// How many messages one iteration sends.
const BATCH: u64 = 1_000;

#[module]
#[derive(Default)]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Add)]
    async fn add(&mut self, number: u64) {
        self.count += number;
    }

    #[handler(Get)]
    fn get(&self) -> u64 {
        self.count
    }
}

/// What one would write by hand.
enum ByHand {
    Add(u64),
    Get(oneshot::Sender<u64>),
}

fn by_hand() -> mpsc::UnboundedSender<ByHand> {
    let (sender, mut inbox) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut count = 0;
        while let Some(message) = inbox.recv().await {
            match message {
                ByHand::Add(number) => count += number,
                ByHand::Get(reply) => drop(reply.send(count)),
            }
        }
    });
    sender
}

async fn get(actor: &mpsc::UnboundedSender<ByHand>) -> u64 {
    let (reply, answer) = oneshot::channel();
    assert!(actor.send(ByHand::Get(reply)).is_ok());
    answer.await.expect("the actor lives")
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn tell(criterion: &mut Criterion) {
    let runtime = runtime();
    let (system, counter, actor) = runtime.block_on(async {
        let system = System::new();
        let counter = system.register_module(Counter::default()).await.expect("a counter");
        (system, counter, by_hand())
    });
    let mut group = criterion.benchmark_group("tell");
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function(BenchmarkId::from_parameter("dms"), |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                for number in 0..BATCH {
                    counter.send(Add { number }).await.expect("accepted");
                }
                counter.ask(Get).await.expect("answered")
            })
        });
    });
    group.bench_function(BenchmarkId::from_parameter("by hand"), |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                for number in 0..BATCH {
                    assert!(actor.send(ByHand::Add(number)).is_ok());
                }
                get(&actor).await
            })
        });
    });
    group.finish();
    runtime.block_on(system.shutdown());
}

fn ask(criterion: &mut Criterion) {
    let runtime = runtime();
    let (system, counter, actor) = runtime.block_on(async {
        let system = System::new();
        let counter = system.register_module(Counter::default()).await.expect("a counter");
        (system, counter, by_hand())
    });
    let mut group = criterion.benchmark_group("ask");
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function(BenchmarkId::from_parameter("dms"), |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                for _ in 0..BATCH {
                    counter.ask(Get).await.expect("answered");
                }
            });
        });
    });
    group.bench_function(BenchmarkId::from_parameter("by hand"), |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                for _ in 0..BATCH {
                    get(&actor).await;
                }
            });
        });
    });
    group.finish();
    runtime.block_on(system.shutdown());
}

fn spawn(criterion: &mut Criterion) {
    let runtime = runtime();
    let system = System::new();
    // One that stays, as in a program: a system without modules gives up its timer task each time.
    let resident = runtime.block_on(async { system.register_module(Counter::default()).await.expect("a counter") });
    let mut group = criterion.benchmark_group("spawn, ask, stop");
    group.bench_function(BenchmarkId::from_parameter("dms"), |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let counter = system.register_module(Counter::default()).await.expect("a counter");
                counter.ask(Get).await.expect("answered");
                counter.stop().await.unwrap()
            })
        });
    });
    group.bench_function(BenchmarkId::from_parameter("by hand"), |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let actor = by_hand();
                get(&actor).await
            })
        });
    });
    group.finish();
    drop(resident);
    runtime.block_on(system.shutdown());
}

criterion_group!(benches, tell, ask, spawn);
criterion_main!(benches);
