//! A request by name beside the typed ask that it is underneath: `cargo bench -p dms --features wire --bench wire`.
//!
//! All run one after the other in one process, on a current-thread runtime; compare within the group.
#![allow(missing_docs, reason = "criterion's macros write undocumented items")]

use std::future::IntoFuture;

use criterion::{Criterion, criterion_group, criterion_main};
use dms::prelude::*;
use tokio::runtime::Builder;

#[module(name = "counter")]
#[derive(Default)]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Add, remote)]
    fn add(&mut self, by: u64, twice: bool) -> u64 {
        self.count += if twice { 2 * by } else { by };
        self.count
    }
}

fn requests(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let system = System::new();
    let counter = runtime.block_on(system.register_module(Counter::default()).into_future()).expect("it starts");
    let mut group = criterion.benchmark_group("request");
    group.bench_function("typed ask", |bencher| {
        bencher.iter(|| runtime.block_on(async { counter.add(1, true).await.expect("a reply") }));
    });
    group.bench_function("by name, MessagePack", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let request = Request::message_pack("add", &Add { by: 1, twice: true }).expect("MessagePack");
                let response = system.request("counter", request).await.expect("a response");
                response.decode::<u64>().expect("a number")
            })
        });
    });
    group.bench_function("by name, JSON", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let request = Request::json("add", &Add { by: 1, twice: true }).expect("JSON");
                let response = system.request("counter", request).await.expect("a response");
                response.decode::<u64>().expect("a number")
            })
        });
    });
    group.finish();
    runtime.block_on(system.shutdown());
}

criterion_group!(benches, requests);
criterion_main!(benches);
