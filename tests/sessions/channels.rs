//! Channels between sessions.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Waker;

use dms::prelude::*;
use dms::session::{
    Closed, EventSender, EventSource, PromiseError, SubmitError, SubmitHandle, SubscribeHandle, TrySendError, event,
    event_within, promise, submit, subscribe,
};
use dms_tests::{Drops, on_every_runtime, settle};

#[derive(Debug, PartialEq)]
struct Order(u64);

#[test]
fn events_come_in_order_and_end_with_the_last_sender() {
    on_every_runtime(|| async {
        let (sender, mut source) = event();
        let clone = sender.clone();
        for number in 0..100 {
            sender.send(Order(number)).await.unwrap();
        }
        drop(sender);
        clone.try_send(Order(100)).unwrap();
        drop(clone);
        assert_eq!(source.len(), 101);
        for number in 0..=100 {
            assert_eq!(source.recv().await, Some(Order(number)));
        }
        assert_eq!(source.recv().await, None);
    });
}

#[test]
fn an_event_for_nobody_comes_back_in_an_error_that_names_it() {
    on_every_runtime(|| async {
        let (sender, source) = event();
        drop(source);
        sender.closed().await;
        assert!(sender.is_closed());
        let error = sender.send(Order(7)).await.unwrap_err();
        assert_eq!(error, Closed(Order(7)));
        assert!(error.to_string().starts_with("nobody takes `sessions::channels::Order` any more"), "{error}");
        let error = sender.try_send(Order(8)).unwrap_err();
        assert!(error.to_string().starts_with("nobody takes `sessions::channels::Order` any more"), "{error}");
        assert_eq!(error.into_inner(), Order(8));
    });
}

#[test]
fn a_source_that_is_closed_gives_what_waits_and_then_none() {
    on_every_runtime(|| async {
        let (sender, mut source) = event();
        sender.send(1).await.unwrap();
        source.close();
        assert_eq!(sender.send(2).await, Err(Closed(2)));
        assert_eq!(source.recv().await, Some(1));
        assert_eq!(source.recv().await, None);
        assert_eq!(source.try_recv(), None);
    });
}

#[test]
fn a_channel_with_a_bound_has_whoever_sends_wait_for_room() {
    on_every_runtime(|| async {
        let (sender, mut source) = event_within(2);
        sender.send(1).await.unwrap();
        sender.send(2).await.unwrap();
        assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
        let mut third = pin!(sender.send(3));
        let pending = tokio::select! {
            biased;
            _ = &mut third => false,
            () = settle() => true,
        };
        assert!(pending, "there was room");
        assert_eq!(source.recv().await, Some(1));
        third.await.unwrap();
        assert_eq!((source.recv().await, source.recv().await), (Some(2), Some(3)));
    });
}

#[test]
fn a_promise_that_is_dropped_fails_its_waiter_at_once() {
    on_every_runtime(|| async {
        let (reply, promise) = promise::<u64>();
        let waiter = tokio::spawn(promise);
        settle().await;
        assert!(reply.is_awaited());
        drop(reply);
        // No clock is needed for it: without one the test would hang.
        let error = waiter.await.unwrap().unwrap_err();
        assert_eq!(error, PromiseError::Dropped);
        assert_eq!(
            error.to_string(),
            "the `ReplyTo` of this promise was dropped without a value: call `send` on every path"
        );
    });
}

#[test]
fn a_promise_is_kept_before_and_while_it_is_awaited() {
    on_every_runtime(|| async {
        let (reply, kept) = promise();
        reply.send("early");
        assert_eq!(kept.await, Ok("early"));
        let (reply, kept) = promise();
        let waiter = tokio::spawn(kept);
        settle().await;
        reply.send("late");
        assert_eq!(waiter.await.unwrap(), Ok("late"));
    });
}

#[test]
fn a_promise_whose_keeper_panics_says_so() {
    on_every_runtime(|| async {
        let (reply, promise) = promise::<()>();
        let keeper = tokio::spawn(async move {
            let _reply = reply;
            panic!("on purpose");
        });
        assert_eq!(promise.await, Err(PromiseError::Panicked));
        assert!(keeper.await.unwrap_err().is_panic());
    });
}

#[test]
fn whoever_is_to_keep_a_promise_sees_that_nobody_waits_any_more() {
    let drops = Drops::new();
    let (reply, promise) = promise();
    drop(promise);
    assert!(!reply.is_awaited());
    reply.send(drops.token());
    assert_eq!(drops.count(), 1);
}

/// What a second poll after the last one panics with.
async fn polled_again<F: Future>(future: F) -> String {
    let mut future = pin!(future);
    drop(future.as_mut().await);
    let mut again = || future.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop())).is_pending();
    let panic =
        catch_unwind(AssertUnwindSafe(&mut again)).expect_err("it is no second time ready, nor pending for ever");
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).to_owned())
}

#[test]
fn what_has_been_waited_for_panics_when_it_is_polled_again() {
    on_every_runtime(|| async {
        let text = "`Promise` was polled again after it was ready, and its result has been given away: await it once; in a `select!` in a loop, have an `if` disable its branch from then on";
        let (reply, kept) = promise();
        reply.send(7);
        assert_eq!(polled_again(kept).await, text);
        let (reply, broken) = promise::<u64>();
        drop(reply);
        assert_eq!(polled_again(broken).await, text);
        let (handle, source) = submit::<u64, u64>();
        drop(source);
        assert!(polled_again(handle.submit(1)).await.contains("`async fn` resumed after completion"));
        let (handle, _source) = subscribe::<u64, u64>();
        assert!(polled_again(handle.subscribe(1)).await.contains("`async fn` resumed after completion"));
    });
}

#[test]
fn a_source_that_has_ended_says_so_again() {
    on_every_runtime(|| async {
        let (sender, mut source) = event::<u64>();
        drop(sender);
        for _ in 0..3 {
            assert_eq!(source.recv().await, None);
        }
    });
}

#[module]
struct Counter(u64);

#[module]
impl Counter {
    #[handler(Get)]
    fn get(&self) -> u64 {
        self.0
    }

    #[handler(Later)]
    async fn later(&mut self, reply: ReplyTo<u64>, to: tokio::sync::mpsc::Sender<ReplyTo<u64>>) {
        let _ = to.send(reply).await;
    }
}

#[test]
fn a_promise_a_submit_and_an_ask_have_one_reply_type() {
    on_every_runtime(|| async {
        let system = System::new();
        let counter = system.register_module(Counter(7)).await.unwrap();
        // The reply of an ask travels to a session, which answers it like any other.
        let (sender, mut replies) = tokio::sync::mpsc::channel::<ReplyTo<u64>>(1);
        let (handle, mut requests) = submit::<(), u64>();
        let (of_a_promise, promised) = promise::<u64>();
        let session = async {
            let (of_an_ask, ((), of_a_submit)) = (replies.recv().await.unwrap(), requests.recv().await.unwrap());
            for (number, reply) in (1..).zip([of_an_ask, of_a_submit, of_a_promise]) {
                reply.send(number);
            }
        };
        let (asked, submitted, promised, ()) =
            tokio::join!(counter.later(sender).into_future(), handle.submit(()), promised, session);
        assert_eq!((asked.unwrap(), submitted.unwrap(), promised.unwrap()), (1, 2, 3));
        // And a promise travels in the message of a module.
        let message: fn(Get, ReplyTo<u64>) -> CounterMessage = CounterMessage::Get;
        let answer = |message| match message {
            CounterMessage::Get(Get, reply) | CounterMessage::Later(_, reply) => reply.send(8),
        };
        let (reply, promised) = promise();
        answer(message(Get, reply));
        assert_eq!(promised.await, Ok(8));
        assert_eq!(dms::testing::mock::<Counter>(answer).get().await, Ok(8));
        // It breaks with the message.
        let (reply, promised) = promise();
        drop(message(Get, reply));
        assert_eq!(promised.await, Err(PromiseError::Dropped));
        system.shutdown().await;
    });
}

#[test]
fn a_request_that_is_submitted_is_answered_or_fails_with_what_became_of_it() {
    on_every_runtime(|| async {
        let (handle, mut source) = submit::<Order, u64>();
        let session = async {
            let (order, reply) = source.recv().await.unwrap();
            reply.send(order.0 + 1);
            let (_, reply) = source.recv().await.unwrap();
            drop(reply);
            // The third waits when the source goes.
            settle().await;
            drop(source);
        };
        let client = async {
            assert_eq!(handle.submit(Order(1)).await, Ok(2));
            assert_eq!(handle.submit(Order(2)).await, Err(SubmitError::Dropped));
            assert_eq!(handle.submit(Order(3)).await, Err(SubmitError::Dropped));
            let error = handle.submit(Order(4)).await.unwrap_err();
            assert_eq!(error, SubmitError::Closed(Order(4)));
            assert!(error.to_string().contains("`sessions::channels::Order`"), "{error}");
        };
        tokio::join!(session, client);
    });
}

#[test]
fn a_subscription_gives_replies_until_the_session_lets_it_go() {
    on_every_runtime(|| async {
        let (handle, mut source) = subscribe::<u64, u64>();
        let session = async {
            while let Some((limit, replies)) = source.recv().await {
                for number in 0..limit {
                    replies.send(number).await.unwrap();
                }
            }
            source
        };
        let client = async {
            let mut replies = handle.subscribe(3).await.unwrap();
            drop(handle);
            let mut received = Vec::new();
            while let Some(reply) = replies.recv().await {
                received.push(reply);
            }
            received
        };
        let (source, received) = tokio::join!(session, client);
        assert_eq!(received, [0, 1, 2]);
        drop(source);
        let (handle, source) = subscribe::<u64, u64>();
        drop(source);
        assert_eq!(handle.subscribe(7).await.unwrap_err(), Closed(7));
    });
}

#[test]
fn requests_may_have_a_bound_too() {
    on_every_runtime(|| async {
        let (sender, mut source) = event_within::<(u64, ReplyTo<u64>)>(1);
        let handle = SubmitHandle::from(sender);
        let session = async { source.recv().await.map(|(request, reply)| reply.send(request)) };
        assert_eq!(tokio::join!(handle.submit(1), session), (Ok(1), Some(())));
        let (mut first, mut second) = (pin!(handle.submit(1)), pin!(handle.submit(2)));
        tokio::select! {
            biased;
            _ = &mut first => unreachable!("nobody replies"),
            _ = &mut second => unreachable!("nobody replies"),
            () = settle() => assert_eq!(source.len(), 1, "the second waits for room"),
        }
        let (sender, source) = event_within(1);
        let handle = SubscribeHandle::<u64, u64>::from(sender);
        let _replies = handle.subscribe(1).await.unwrap();
        assert_eq!(source.len(), 1);
    });
}

/// A module that takes what comes from a channel as messages.
#[module]
struct Sum(u64);

#[module]
impl Sum {
    #[handler]
    fn add(&mut self, Order(number): Order) {
        self.0 += number;
    }

    #[handler(Take)]
    fn take(&mut self, source: EventSource<Order>, done: EventSender<u64>, ctx: &mut Context<Self>) {
        ctx.attach("orders", source).then(|()| Ended { done }, ctx);
    }

    #[handler(Ended)]
    async fn ended(&mut self, done: EventSender<u64>) -> Result<(), Closed<u64>> {
        done.send(self.0).await
    }
}

#[test]
fn a_module_takes_events_as_messages() {
    on_every_runtime(|| async {
        let system = System::new();
        let sum = system.register_module(Sum(0)).await.unwrap();
        let (sender, source) = event();
        for number in 1..=10 {
            sender.send(Order(number)).await.unwrap();
        }
        drop(sender);
        let (done, mut sums) = event();
        sum.take(source, done).await.unwrap();
        assert_eq!(sums.recv().await, Some(55));
        system.shutdown().await;
    });
}
