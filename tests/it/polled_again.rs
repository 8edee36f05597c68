//! No future is pending for ever once it was ready: what has given its result away panics, what tells of something that lasts tells it again.

use std::fmt::Debug;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use dms::prelude::*;
use dms::testing::mock;
use dms::{Request, Snapshot, StopError};
use dms_tests::{Log, Note, Puppet, act_in, held, on_every_runtime, settle};
use tokio::task::yield_now;

/// What the future is ready with, and what a poll after that gives.
async fn twice<F: Future>(future: F) -> (F::Output, Result<Poll<F::Output>, String>) {
    let mut future = pin!(future);
    let output = future.as_mut().await;
    let again = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut TaskContext::from_waker(Waker::noop()))));
    (output, again.map_err(|panic| panic.downcast_ref::<String>().expect("a text of ours").clone()))
}

/// That the future says what has happened, and what to do.
async fn has_given_it_away(name: &str, future: impl Future<Output: Debug>) {
    let text = format!(
        "`{name}` was polled again after it was ready, and its result has been given away: await it once; in a `select!` in a loop, have an `if` disable its branch from then on"
    );
    match twice(future).await {
        (_, Err(said)) => assert_eq!(said, text),
        (output, Ok(again)) => panic!("{name}: {again:?} after {output:?}"),
    }
}

async fn tells_it_again<T: Debug>(name: &str, future: impl Future<Output = T>) {
    let (output, again) = twice(future).await;
    let Ok(Poll::Ready(again)) = again else { panic!("{name}: {again:?}") };
    assert_eq!(format!("{again:?}"), format!("{output:?}"), "{name}");
}

#[module(flags(HOT_RELOADABLE), version = "1.0.0")]
#[derive(Debug)]
struct Counter(u64);

#[module]
impl Counter {
    #[handler(Get, remote)]
    fn get(&self) -> u64 {
        self.0
    }

    #[snapshot]
    fn snapshot(&self) -> u64 {
        self.0
    }
}

#[test]
fn a_message_or_an_ask_that_is_polled_again_panics_and_says_so() {
    on_every_runtime(|| async {
        let system = System::new();
        let puppet = system.register_module(Puppet::default()).mailbox(1).await.unwrap();
        has_given_it_away("send", puppet.send(Note(1))).await;
        has_given_it_away("AskFuture", puppet.ask(Note(1)).into_future()).await;
        // From the line before a full mailbox.
        let busy = held(&puppet).await;
        puppet.send(Note(1)).await.unwrap();
        let in_line = async {
            let (sent, asked) = (has_given_it_away("send", puppet.send(Note(1))), puppet.ask(Note(1)).into_future());
            tokio::join!(sent, has_given_it_away("AskFuture", asked));
        };
        tokio::join!(in_line, async {
            settle().await;
            busy.release();
        });
        let busy = held(&puppet).await;
        puppet.send(Note(1)).await.unwrap();
        let in_line = async {
            let (sent, asked) = (has_given_it_away("send", puppet.send(Note(1))), puppet.ask(Note(1)).into_future());
            tokio::join!(sent, has_given_it_away("AskFuture", asked));
        };
        let stopped = async {
            settle().await;
            let (report, ()) = tokio::join!(puppet.stop(), async {
                yield_now().await;
                busy.release();
            });
            report.unwrap();
        };
        tokio::join!(in_line, stopped);
        // Refused.
        has_given_it_away("send", puppet.send(Note(1))).await;
        has_given_it_away("AskFuture", puppet.ask(Note(1)).into_future()).await;
        system.shutdown().await;
    });
}

#[test]
fn a_task_that_is_polled_again_panics_and_says_so() {
    on_every_runtime(|| async {
        let system = System::new();
        let puppet = system.register_module(Puppet::default()).await.unwrap();
        let tasks = Log::new();
        let keep = tasks.clone();
        puppet
            .ask(act_in(move |ctx| {
                keep.push(ctx.spawn("task", async { 7 }));
                Box::pin(async {})
            }))
            .await
            .unwrap();
        for task in tasks.take() {
            has_given_it_away("Task", task).await;
        }
        system.shutdown().await;
    });
}

#[test]
fn a_registration_that_is_polled_again_panics_and_says_so() {
    on_every_runtime(|| async {
        let system = System::new();
        has_given_it_away("RegisterFuture", system.register_module(Puppet::default()).into_future()).await;
        has_given_it_away("RegisterFuture", system.register_module(Counter(1)).into_future()).await;
        let refused = || Puppet::default().on_init(|_| Box::pin(async { Err("no".into()) }));
        has_given_it_away("RegisterFuture", system.register_module(refused()).into_future()).await;
        for count in [0, 2] {
            let pool = system.register_pool(count, |_| Puppet::default());
            has_given_it_away("RegisterPoolFuture", pool.into_future()).await;
        }
        let pool = system.register_pool(2, move |_| refused());
        has_given_it_away("RegisterPoolFuture", pool.into_future()).await;
        has_given_it_away("RegisterAll", system.register_all((Puppet::default(),))).await;
        system.shutdown().await;
    });
}

#[test]
fn a_request_a_snapshot_and_a_reload_that_are_polled_again_panic_and_say_so() {
    on_every_runtime(|| async {
        let system = System::new();
        let counter = system.register_module(Counter(1)).name("counter").await.unwrap();
        has_given_it_away("RequestFuture", system.request("counter", Request::new("get", "")).into_future()).await;
        has_given_it_away("RequestFuture", system.request("nobody", Request::new("get", "")).into_future()).await;
        has_given_it_away("AskFuture", counter.snapshot().into_future()).await;
        has_given_it_away("ReloadFuture", counter.reload(Counter(2)).into_future()).await;
        let _: Snapshot = counter.snapshot().await.unwrap();
        system.shutdown().await;
    });
}

#[module(name = "store")]
struct Store;

#[module]
impl Store {}

#[module(name = "shop", depends("store"))]
struct Shop;

#[module]
impl Shop {}

#[test]
fn a_stop_a_kill_and_a_publication_say_again_what_they_said() {
    on_every_runtime(|| async {
        let system = System::new();
        let puppet = system.register_module(Puppet::default()).await.unwrap();
        tells_it_again("published", system.publish(7_u64)).await;
        tells_it_again("stop", puppet.stop()).await;
        tells_it_again("drain", puppet.drain()).await;
        let killed = system.register_module(Puppet::default()).await.unwrap();
        tells_it_again("kill", killed.kill()).await;
        let pool = system.register_pool(2, |_| Puppet::default()).await.unwrap();
        tells_it_again("pool", pool.stop()).await;
        tells_it_again("mock", mock::<Puppet>(drop).stop()).await;

        // A refusal as well, and nothing is tried again meanwhile.
        let store = system.register_module(Store).await.unwrap();
        let shop = system.register_module(Shop).await.unwrap();
        let mut refused = pin!(store.stop());
        assert!(matches!(refused.as_mut().await, Err(StopError::Dependents { .. })));
        shop.stop().await.unwrap();
        assert!(matches!(refused.await, Err(StopError::Dependents { .. })));
        assert!(!store.state().is_ended());
        tells_it_again("not found", system.stop("nobody")).await;
        system.shutdown().await;
    });
}
