//! How often the message path allocates. A binary of its own: `allocation_counter` replaces the allocator, and counts each thread for itself.

use std::future::IntoFuture;
use std::time::Duration;

use allocation_counter::measure;
use dms::prelude::*;
use dms::{Format, RequestError, SnapshotError};
use dms_tests::Flavor;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

/// Adds up.
#[module(version = "1.2.0", flags(DRIVER, user(3)), depends(optional("store >= 1")), provides("count", "sum"))]
struct Counter {
    count: u64,
}

#[derive(Clone, Copy)]
struct Add(u64);

#[module]
impl Counter {
    #[handler]
    fn add(&mut self, Add(number): Add) -> u64 {
        self.count += number;
        self.count
    }
}

const ROUNDS: u64 = 1_000;

/// Tokio allocates once for the first `yield_now` of a `block_on`.
const OF_TOKIO: u64 = 1;

/// A runtime of one thread, so that all that happens is counted; and a module that has been warmed up.
fn warm() -> (Runtime, System, ModuleRef<Counter>) {
    let runtime = Flavor::Paused.runtime();
    let system = System::new();
    let counter = runtime.block_on(async {
        let counter = system.register_module(Counter { count: 0 }).await.unwrap();
        // The queue and the batch in hand change places: both have grown after two bursts.
        for _ in 0..3 {
            for _ in 0..ROUNDS {
                counter.send(Add(1)).await.unwrap();
            }
            while counter.depth() > 0 {
                tokio::task::yield_now().await;
            }
        }
        counter.add(Add(0)).await.unwrap();
        counter.add(Add(0)).no_timeout().await.unwrap();
        counter
    });
    (runtime, system, counter)
}

/// All that the thread allocates while `body` runs to its end, the module's own turns included.
fn allocations_of<F: Future<Output = ()>>(runtime: &Runtime, body: impl FnOnce() -> F) -> u64 {
    measure(|| runtime.block_on(body())).count_total
}

#[test]
fn the_counter_counts() {
    let (runtime, ..) = warm();
    assert_eq!(allocations_of(&runtime, || async { drop(std::hint::black_box(Box::new(7))) }), 1);
}

#[test]
fn what_a_module_says_of_itself_allocates_nothing() {
    let (runtime, system, counter) = warm();
    let allocations = measure(|| {
        let info = std::hint::black_box(<Counter as dms::Describe>::INFO);
        assert!(info.name == "Counter" && info.author.is_empty() && !info.license.is_empty());
        assert!(info.flags.contains(dms::ModuleFlags::user(3)));
        assert!(info.dependencies.is_empty() && info.optional_dependencies == ["store >= 1"]);
        assert!(info.provides.contains(&"sum") && info.version == dms::Version { major: 1, minor: 2, patch: 0 });
        assert_eq!(std::hint::black_box(*counter.info()), info);
    });
    assert_eq!(allocations.count_total, 0);
    runtime.block_on(system.shutdown());
}

#[test]
fn a_tell_allocates_nothing() {
    let (runtime, system, counter) = warm();
    let before = runtime.block_on(async { counter.add(Add(0)).no_timeout().await.unwrap() });
    let count = allocations_of(&runtime, || async {
        for _ in 0..ROUNDS {
            counter.send(Add(1)).await.unwrap();
        }
        // Until all of them are handled.
        while counter.depth() > 0 {
            tokio::task::yield_now().await;
        }
    });
    assert!(count <= OF_TOKIO, "{count} for {ROUNDS} tells");
    let after = runtime.block_on(async { counter.add(Add(0)).no_timeout().await.unwrap() });
    assert_eq!(after - before, ROUNDS, "they were handled");
    runtime.block_on(system.shutdown());
}

#[test]
fn a_tell_that_wakes_its_module_allocates_nothing() {
    let (runtime, system, counter) = warm();
    let count = allocations_of(&runtime, || async {
        for _ in 0..ROUNDS {
            counter.try_send(Add(1)).unwrap();
            tokio::task::yield_now().await;
            assert_eq!(counter.depth(), 0);
        }
    });
    assert!(count <= OF_TOKIO, "{count} for {ROUNDS} tells");
    runtime.block_on(system.shutdown());
}

#[test]
fn an_ask_allocates_once() {
    let (runtime, system, counter) = warm();
    let count = allocations_of(&runtime, || async {
        for _ in 0..ROUNDS {
            counter.add(Add(1)).no_timeout().await.unwrap();
        }
    });
    assert_eq!(count, ROUNDS, "its slot, and nothing else");
    runtime.block_on(system.shutdown());
}

/// The default deadline costs no allocation of its own, but for a few when its driver wakes up.
#[test]
fn the_default_deadline_of_an_ask_allocates_nothing_more() {
    let (runtime, system, counter) = warm();
    let count = allocations_of(&runtime, || async {
        for _ in 0..ROUNDS {
            counter.add(Add(1)).await.unwrap();
        }
    });
    assert!((ROUNDS..=ROUNDS + 20).contains(&count), "{count} for {ROUNDS} asks");
    runtime.block_on(system.shutdown());
}

/// The message is cloned, and it is a number here: nothing more.
#[test]
fn a_tick_allocates_nothing() {
    let (runtime, system, counter) = warm();
    let ticks = runtime.block_on(async {
        let ticks = counter.request_tick(Add(1), Duration::from_millis(10));
        tokio::time::sleep(Duration::from_secs(1)).await;
        ticks
    });
    let before = runtime.block_on(async { counter.add(Add(0)).no_timeout().await.unwrap() });
    let count = allocations_of(&runtime, || async { tokio::time::sleep(Duration::from_secs(10)).await });
    let after = runtime.block_on(async { counter.add(Add(0)).no_timeout().await.unwrap() });
    assert!((999..=1_001).contains(&(after - before)), "{} ticks", after - before);
    assert!(count <= 2, "{count} for a thousand ticks");
    ticks.stop();
    runtime.block_on(system.shutdown());
}

#[test]
fn a_bounded_mailbox_allocates_nothing_while_there_is_room() {
    let (runtime, system, _) = warm();
    let bounded = runtime.block_on(async {
        let bounded = system.register_module(Counter { count: 0 }).mailbox(64).await.unwrap();
        for _ in 0..10 {
            for _ in 0..64 {
                bounded.send(Add(1)).await.unwrap();
            }
            while bounded.depth() > 0 {
                tokio::task::yield_now().await;
            }
        }
        bounded
    });
    let count = allocations_of(&runtime, || async {
        for _ in 0..20 {
            for _ in 0..64 {
                bounded.send(Add(1)).await.unwrap();
            }
            while bounded.depth() > 0 {
                tokio::task::yield_now().await;
            }
        }
    });
    assert!(count <= OF_TOKIO, "{count}");
    runtime.block_on(system.shutdown());
}

#[module(name = "forest")]
struct Forest;

#[derive(Serialize, Deserialize)]
enum Tree {
    Leaf(u64),
    Node(Vec<Tree>),
}

#[module(remote)]
impl Forest {
    #[handler]
    fn plant(&mut self, tree: Tree) -> u64 {
        match tree {
            Tree::Leaf(number) => number,
            Tree::Node(children) => children.len() as u64,
        }
    }
}

#[test]
fn w1_a_payload_cannot_have_more_allocated_than_it_has_bytes_for() {
    let runtime = Flavor::Paused.runtime();
    let system = System::new();
    runtime.block_on(system.register_module(Forest).into_future()).unwrap();
    let allocated_by = |payload: &[u8]| {
        let request = Request { format: Format::MessagePack, ..Request::new("plant", payload) };
        let mut response = None;
        let info = measure(|| response = Some(runtime.block_on(system.request("forest", request).into_future())));
        (info.bytes_max, response.unwrap())
    };
    // A hundred arrays inside each other, each of which claims four billion elements.
    let (bytes, response) = allocated_by(&b"\x81\xa4Node\xdd\xff\xff\xff\xff".repeat(100));
    assert!(matches!(response, Err(RequestError::Payload { .. })), "{response:?}");
    assert!(bytes < 10_000, "{bytes} bytes for a lie");
    let (bytes, response) = allocated_by(b"\x81\xa4Node\xdb\x7f\xff\xff\xff");
    assert!(matches!(response, Err(RequestError::Payload { .. })), "{response:?}");
    assert!(bytes < 10_000, "{bytes} bytes for a lie");
    // It measures: what is there is allocated.
    let honest = [&b"\x81\xa4Node\xdd\x00\x00\x27\x10"[..], &b"\x81\xa4Leaf\x07".repeat(10_000)].concat();
    let (bytes, response) = allocated_by(&honest);
    assert_eq!(response.unwrap().decode::<u64>(), Ok(10_000));
    assert!(bytes > 100_000, "{bytes} bytes");
    runtime.block_on(system.shutdown());
}

#[test]
fn bytes_have_no_more_allocated_than_they_are_many_to_become_a_snapshot() {
    let version = dms::Version { major: 1, minor: 0, patch: 0 };
    let whole = Snapshot::new("counter", "Counter", version, &vec![7_u8; 10_000]).unwrap().to_bytes();
    let allocated_by = |bytes: &[u8]| {
        let mut read = None;
        let info = measure(|| read = Some(Snapshot::from_bytes(bytes)));
        (info.bytes_total, read.unwrap())
    };
    let (bytes, read) = allocated_by(&whole);
    assert!(read.is_ok() && (10_000..=whole.len() as u64).contains(&bytes), "{bytes} of {}", whole.len());
    // Neither a length that promises more than there is, nor anything else that is wrong, has anything allocated.
    for length in [10, 18, 26] {
        let mut lie = whole.clone();
        lie[length..length + 8].fill(0xff);
        let (bytes, read) = allocated_by(&lie);
        assert!(matches!(read, Err(SnapshotError::Truncated { expected: u64::MAX, .. })), "{read:?}");
        assert_eq!(bytes, 0);
    }
    for damaged in [&whole[..whole.len() - 1], &[&whole[..], b"7"].concat(), &whole[1..], b"", b"dms-snap\0\x02"] {
        let (bytes, read) = allocated_by(damaged);
        assert!(read.is_err() && bytes == 0, "{bytes} bytes for {read:?}");
    }
}

/// A module's cell, its task, and what a registry needs; and nothing is left of it when it has stopped.
#[test]
fn a_module_that_came_and_went_leaves_no_memory() {
    let (runtime, system, _) = warm();
    let come_and_go = |times: u64| {
        let system = system.reference();
        async move {
            for _ in 0..times {
                let counter = system.register_module(Counter { count: 0 }).await.unwrap();
                counter.send(Add(1)).await.unwrap();
                counter.add(Add(1)).no_timeout().await.unwrap();
                counter.stop().await.unwrap();
            }
        }
    };
    runtime.block_on(come_and_go(100));
    let info = measure(|| runtime.block_on(come_and_go(1_000)));
    assert!(info.bytes_current.abs() < 4_096, "{} bytes were left by a thousand modules", info.bytes_current);
    assert!(info.count_total > 1_000, "it measures");
    runtime.block_on(system.shutdown());
}

#[module]
struct Plain {
    count: u64,
}

#[module]
impl Plain {
    #[handler]
    async fn add(&mut self, Add(number): Add) -> u64 {
        self.count += number;
        self.count
    }
}

/// With all features, and all that the allocator is asked for: the cell, the task and the place in the registry.
#[test]
fn a_module_at_rest_takes_nine_hundred_bytes_at_most() {
    let (runtime, system, _) = warm();
    let mut modules = Vec::with_capacity(1_000);
    let info = measure(|| {
        runtime.block_on(async {
            for _ in 0..1_000 {
                modules.push(system.register_module(Plain { count: 0 }).await.unwrap());
            }
        });
    });
    let each = info.bytes_current / 1_000;
    assert!((100..=900).contains(&each), "{each} bytes");
    runtime.block_on(system.shutdown());
}

#[test]
fn a_mailbox_gives_the_memory_of_a_burst_back() {
    let (runtime, system, counter) = warm();
    let info = measure(|| {
        runtime.block_on(async {
            for _ in 0..100_000 {
                counter.try_send(Add(1)).unwrap();
            }
            counter.add(Add(1)).no_timeout().await.unwrap();
            while counter.depth() > 0 {
                tokio::task::yield_now().await;
            }
            tokio::task::yield_now().await;
        });
    });
    assert!(info.bytes_max > 1_000_000, "it measures");
    assert!(info.bytes_current < 200_000, "{} bytes are kept", info.bytes_current);
    runtime.block_on(system.shutdown());
}

/// Fails as soon as it runs.
#[module(restart = on_failure, max_restarts = 1000000, within = "10s", backoff = "1s..1s")]
struct Crashes;

#[module]
impl Crashes {
    #[run]
    async fn run(&mut self, _: &mut Inbox<Self>) -> Result<(), ModuleError> {
        Err("again".into())
    }
}

#[test]
fn ten_thousand_modules_that_crash_again_and_again_do_not_grow() {
    let runtime = Flavor::Paused.runtime();
    let system = System::new();
    let first = runtime.block_on(async {
        let first = system.register_with(|_| Crashes).await.unwrap();
        for _ in 1..10_000 {
            system.register_with(|_| Crashes).await.unwrap();
        }
        // As many restarts as there may be lie within the time that counts them.
        tokio::time::sleep(Duration::from_secs(30)).await;
        first
    });
    let before = first.incarnation();
    let grown = measure(|| runtime.block_on(async { tokio::time::sleep(Duration::from_secs(20)).await })).bytes_current;
    assert!(first.incarnation() - before >= 19, "{} restarts", first.incarnation() - before);
    assert!(grown < 64 * 10_000, "{grown} bytes more after twenty seconds of crashes");
    runtime.block_on(system.shutdown());
}
