//! M6: the bound of a mailbox, and what happens at it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dms::{AskError, ModuleRef, Overflow, SendError, System};
use dms_tests::{
    Flavor, Log, Note, Puppet, act, act_in, events_of, eventually, held, on_every_runtime, on_paused, puppet, settle,
};

async fn bounded(system: &System, log: &Log<u64>, capacity: usize, overflow: Overflow) -> ModuleRef<Puppet> {
    system.register_module(puppet(log)).name("bounded").mailbox(capacity).overflow(overflow).await.unwrap()
}

#[test]
fn m6_a_mailbox_is_unbounded_by_default() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        let held = held(&module).await;
        for number in 0..50_000 {
            module.try_send(Note(number)).unwrap();
        }
        held.release();
        assert_eq!(module.drain().await.unwrap().undelivered, 0);
        assert_eq!(log.len(), 50_000);
    });
}

#[test]
fn m6_exactly_n_messages_wait_beyond_the_one_that_runs() {
    on_every_runtime(|| async {
        for capacity in [1, 2, 7, 64] {
            let system = System::new();
            let log = Log::new();
            let module = bounded(&system, &log, capacity, Overflow::Wait).await;
            let held = held(&module).await;
            for number in 0..capacity as u64 {
                module.try_send(Note(number)).unwrap();
            }
            let refused = module.try_send(Note(99)).unwrap_err();
            assert_eq!(refused, SendError::Full(Note(99), "bounded".to_owned()));
            assert_eq!(module.depth(), capacity);
            held.release();
            module.drain().await.unwrap();
            assert_eq!(log.all(), (0..capacity as u64).collect::<Vec<_>>());
        }
    });
}

/// What the worker has taken over in a batch but not begun waits as much as what is in the queue.
#[test]
fn m6_the_batch_in_hand_counts_against_the_bound() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = bounded(&system, &log, 4, Overflow::Wait).await;
        let first = held(&module).await;
        let (holding, mut second) = dms_tests::hold();
        module.try_send(act(holding)).unwrap();
        for number in 0..3 {
            module.try_send(Note(number)).unwrap();
        }
        // The worker takes all four as one batch and begins the first of them.
        first.release();
        second.begun().await;
        assert_eq!(module.depth(), 3);
        module.try_send(Note(3)).unwrap();
        assert!(matches!(module.try_send(Note(4)), Err(SendError::Full(Note(4), _))));
        second.release();
        module.drain().await.unwrap();
        assert_eq!(log.all(), [0, 1, 2, 3]);
    });
}

#[test]
fn m6_four_producers_get_exactly_n_messages_in() {
    for round in 0..50 {
        Flavor::MultiThread.run(|| async move {
            let system = System::new();
            let log = Log::new();
            let capacity = 1 + round % 9;
            let module = bounded(&system, &log, capacity, Overflow::Wait).await;
            let held = held(&module).await;
            let start = Arc::new(tokio::sync::Barrier::new(4));
            let producers: Vec<_> = (0..4)
                .map(|_| {
                    let (module, start) = (module.clone(), start.clone());
                    tokio::spawn(async move {
                        start.wait().await;
                        (0..100).filter(|number| module.try_send(Note(*number)).is_ok()).count()
                    })
                })
                .collect();
            let mut accepted = 0;
            for producer in producers {
                accepted += producer.await.unwrap();
            }
            assert_eq!(accepted, capacity);
            held.release();
            module.drain().await.unwrap();
            assert_eq!(log.len(), capacity);
        });
    }
}

/// The depth is looked at from inside: while a handler runs, never more than the bound wait.
#[test]
fn m6_the_bound_holds_while_messages_flow() {
    Flavor::MultiThread.run(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).mailbox(8).await.unwrap();
        let most = Arc::new(AtomicU64::new(0));
        let producers: Vec<_> = (0..4)
            .map(|_| {
                let (module, most) = (module.clone(), most.clone());
                tokio::spawn(async move {
                    for _ in 0..2_000 {
                        let (inner, most) = (module.clone(), most.clone());
                        let look = act(async move {
                            most.fetch_max(inner.depth() as u64, Ordering::SeqCst);
                        });
                        module.send(look).await.unwrap();
                    }
                })
            })
            .collect();
        for producer in producers {
            producer.await.unwrap();
        }
        assert_eq!(module.drain().await.unwrap().undelivered, 0);
        let most = most.load(Ordering::SeqCst);
        assert!((1..=8).contains(&most), "{most} waited");
    });
}

#[test]
fn m6_those_who_wait_for_room_are_served_first_come_first_served() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = bounded(&system, &log, 2, Overflow::Wait).await;
        let held = held(&module).await;
        module.try_send(Note(0)).unwrap();
        module.try_send(Note(1)).unwrap();
        let mut senders = Vec::new();
        for number in 2..20 {
            let module = module.clone();
            let (in_line, is_in_line) = tokio::sync::oneshot::channel();
            senders.push(tokio::spawn(async move {
                let send = module.send(Note(number));
                let mut send = std::pin::pin!(send);
                assert!(futures::poll!(send.as_mut()).is_pending());
                in_line.send(()).unwrap();
                send.await.unwrap();
            }));
            is_in_line.await.unwrap();
        }
        // Whoever comes now must not pass those who wait, though there may be room for a moment.
        assert!(matches!(module.try_send(Note(99)), Err(SendError::Full(..))));
        held.release();
        for sender in senders {
            sender.await.unwrap();
        }
        module.drain().await.unwrap();
        assert_eq!(log.all(), (0..20).collect::<Vec<_>>());
    });
}

/// In the midst of a batch there may be room before those who wait are let in: it is theirs.
#[test]
fn m6_nobody_passes_those_who_wait_while_the_worker_is_busy() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = bounded(&system, &log, 8, Overflow::Wait).await;
        let held = held(&module).await;
        let (target, passed) = (module.clone(), Log::new());
        let note = passed.clone();
        let look = act(async move {
            // From a thread, since a module's own sends meet no bound.
            note.push(std::thread::spawn(move || target.try_send(Note(99)).is_ok()).join().unwrap());
        });
        module.try_send(look).unwrap();
        for number in 0..7 {
            module.try_send(Note(number)).unwrap();
        }
        let mut waiting = std::pin::pin!(module.send(Note(7)));
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        held.release();
        waiting.await.unwrap();
        module.drain().await.unwrap();
        assert_eq!(passed.all(), [false]);
        assert_eq!(log.all(), [0, 1, 2, 3, 4, 5, 6, 7]);
    });
}

#[test]
fn m6_a_cancelled_waiter_loses_no_place_for_others_and_its_message_is_never_handled() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = bounded(&system, &log, 1, Overflow::Wait).await;
        let held = held(&module).await;
        module.try_send(Note(0)).unwrap();
        let mut waiting: Vec<_> = (1..=10_u64)
            .map(|number| {
                let module = module.clone();
                let mut send = Box::pin(async move { module.send(Note(number)).await });
                let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                assert!(std::future::Future::poll(send.as_mut(), &mut cx).is_pending());
                Some(send)
            })
            .collect();
        for cancelled in [0, 4, 5, 9] {
            waiting[cancelled] = None;
        }
        held.release();
        for send in waiting.into_iter().flatten() {
            send.await.unwrap();
        }
        assert_eq!(module.drain().await.unwrap().undelivered, 0);
        assert_eq!(log.all(), [0, 2, 3, 4, 7, 8, 9]);
    });
}

#[test]
fn m6_waiting_senders_and_their_cancellations_lose_no_room_under_load() {
    Flavor::MultiThread.run(|| async {
        let system = System::new();
        let log = Log::new();
        let module = bounded(&system, &log, 3, Overflow::Wait).await;
        let producers: Vec<_> = (0..4_u64)
            .map(|producer| {
                let module = module.clone();
                tokio::spawn(async move {
                    let mut accepted = 0;
                    for number in 0..1_000 {
                        let send = module.send(Note(number));
                        if (number + producer) % 5 == 0 {
                            // Given up after one look, in line or not.
                            let mut send = Box::pin(send);
                            if futures::poll!(send.as_mut()).is_ready() {
                                accepted += 1;
                            } else {
                                tokio::task::yield_now().await;
                            }
                        } else {
                            send.await.unwrap();
                            accepted += 1;
                        }
                    }
                    accepted
                })
            })
            .collect();
        let mut accepted = 0;
        for producer in producers {
            accepted += producer.await.unwrap();
        }
        assert_eq!(module.drain().await.unwrap().undelivered, 0);
        // A message may be let in between its sender's last look and its end: then it was delivered.
        assert!((accepted..=4_000).contains(&log.len()), "{accepted} accepted, {} handled", log.len());
        assert!(accepted >= 3_200);
    });
}

#[test]
fn m6_reject_gives_the_message_back() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = bounded(&system, &log, 2, Overflow::Reject).await;
        let held = held(&module).await;
        module.send(Note(0)).await.unwrap();
        module.send(Note(1)).await.unwrap();
        assert_eq!(module.send(Note(2)).await, Err(SendError::Full(Note(2), "bounded".to_owned())));
        assert_eq!(module.try_send(Note(3)).unwrap_err().into_message(), Note(3));
        assert_eq!(module.recipient().send(Note(4)).await.unwrap_err().into_message(), Note(4));
        let refused = module.ask(Note(5)).await.unwrap_err();
        assert_eq!(refused, AskError::Full { module: "bounded".to_owned(), handler: "Note" });
        held.release();
        assert_eq!(module.drain().await.unwrap().undelivered, 0, "what was given back is not undelivered");
        assert_eq!(log.all(), [0, 1]);
    });
}

#[test]
fn m6_drop_oldest_drops_what_waits_longest_and_counts_it() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = bounded(&system, &log, 3, Overflow::DropOldest).await;
        let held = held(&module).await;
        let oldest = tokio::spawn({
            let module = module.clone();
            async move { module.ask(Note(0)).await }
        });
        eventually("the ask waits", || module.depth() == 1).await;
        for number in 1..=5 {
            module.send(Note(number)).await.unwrap();
            assert!(module.depth() <= 3);
        }
        let dropped = oldest.await.unwrap().unwrap_err();
        assert_eq!(dropped, AskError::Dropped { module: "bounded".to_owned(), handler: "Note" });
        held.release();
        assert_eq!(module.drain().await.unwrap().undelivered, 3);
        assert_eq!(log.all(), [3, 4, 5]);
    });
}

#[test]
fn m6_drop_newest_drops_what_comes_and_counts_it() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = bounded(&system, &log, 2, Overflow::DropNewest).await;
        let held = held(&module).await;
        for number in 0..5 {
            module.send(Note(number)).await.unwrap();
        }
        let dropped = module.ask(Note(9)).await.unwrap_err();
        assert_eq!(dropped, AskError::Dropped { module: "bounded".to_owned(), handler: "Note" });
        held.release();
        assert_eq!(module.drain().await.unwrap().undelivered, 4);
        assert_eq!(log.all(), [0, 1]);
    });
}

#[test]
fn m6_what_the_policies_drop_is_in_the_shutdowns_report() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = bounded(&system, &log, 1, Overflow::DropOldest).await;
        let held = held(&module).await;
        for number in 0..11 {
            module.send(Note(number)).await.unwrap();
        }
        let last = system.register_module(Puppet::default()).await.unwrap();
        let (report, ()) = tokio::join!(system.shutdown(), async {
            last.stopped().await;
            held.release();
        });
        assert_eq!(report.undelivered, 11, "ten by the policy, one by the shutdown");
        assert!(log.is_empty());
    });
}

#[test]
fn m6_a_modules_sends_to_itself_never_wait_on_the_bound() {
    on_every_runtime(|| async {
        for overflow in [Overflow::Wait, Overflow::Reject, Overflow::DropOldest, Overflow::DropNewest] {
            let system = System::new();
            let log = Log::new();
            let module = bounded(&system, &log, 2, overflow).await;
            module
                .ask(act_in(|ctx| {
                    Box::pin(async move {
                        for number in 0..100 {
                            ctx.self_ref().send(Note(number)).await.unwrap();
                        }
                    })
                }))
                .await
                .unwrap();
            assert_eq!(module.drain().await.unwrap().undelivered, 0, "{overflow:?}");
            assert_eq!(log.all(), (0..100).collect::<Vec<_>>(), "{overflow:?}");
        }
    });
}

#[test]
fn m6_ticks_and_delayed_messages_never_wait_on_the_bound() {
    on_paused(|| async {
        for overflow in [Overflow::Wait, Overflow::Reject, Overflow::DropNewest] {
            let system = System::new();
            let log = Log::new();
            let module = bounded(&system, &log, 1, overflow).await;
            let held = held(&module).await;
            module.try_send(Note(0)).unwrap();
            let ticks = module.request_tick(Note(1), Duration::from_secs(1));
            module.send_after(Note(2), Duration::from_millis(2_500));
            tokio::time::sleep(Duration::from_millis(3_100)).await;
            ticks.stop();
            assert_eq!(module.depth(), 5);
            held.release();
            assert_eq!(module.drain().await.unwrap().undelivered, 0);
            assert_eq!(log.all(), [0, 1, 1, 2, 1], "{overflow:?}");
        }
    });
}

#[test]
fn m6_room_that_self_sends_took_is_given_back_before_others_come_in() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let module = bounded(&system, &log, 2, Overflow::Wait).await;
        let (holding, mut held) = dms_tests::hold();
        module
            .try_send(act_in(|ctx| {
                Box::pin(async move {
                    for number in 0..5 {
                        ctx.self_ref().try_send(Note(number)).unwrap();
                    }
                    holding.await;
                })
            }))
            .unwrap();
        held.begun().await;
        assert_eq!(module.depth(), 5);
        assert!(module.try_send(Note(9)).is_err());
        held.release();
        module.send(Note(5)).await.unwrap();
        module.drain().await.unwrap();
        assert_eq!(log.all(), [0, 1, 2, 3, 4, 5]);
    });
}

#[test]
fn m6_a_depth_of_ten_thousand_is_warned_of_and_each_doubling() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let system = System::new();
            let module = system.register_module(Puppet::default()).name("deep").await.unwrap();
            let held = held(&module).await;
            for number in 0..45_000 {
                module.try_send(Note(number)).unwrap();
            }
            held.release();
            module.drain().await.unwrap();
        });
    });
    let warnings: Vec<_> = events.iter().filter(|event| event.text.contains("depth=")).collect();
    assert_eq!(warnings.len(), 3, "{events:?}");
    for (warning, depth) in warnings.iter().zip(["depth=10000", "depth=20000", "depth=40000"]) {
        assert!(warning.text.contains(depth) && warning.text.contains("deep"), "{warning:?}");
        assert_eq!(warning.level, tracing::Level::WARN);
    }
}

#[test]
fn m6_a_depth_below_ten_thousand_is_not_warned_of() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let system = System::new();
            let module = system.register_module(Puppet::default()).await.unwrap();
            let held = held(&module).await;
            for number in 0..9_999 {
                module.try_send(Note(number)).unwrap();
            }
            held.release();
            module.drain().await.unwrap();
        });
    });
    assert_eq!(events, []);
}

/// The depth is what waits, wherever it waits: `depth()` says the same.
#[test]
fn m6_the_batch_in_hand_counts_for_the_warning_too() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let system = System::new();
            let module = system.register_module(Puppet::default()).await.unwrap();
            let first = held(&module).await;
            let (holding, mut second) = dms_tests::hold();
            module.try_send(act(holding)).unwrap();
            for number in 0..6_000 {
                module.try_send(Note(number)).unwrap();
            }
            first.release();
            second.begun().await;
            for number in 0..4_000 {
                module.try_send(Note(number)).unwrap();
            }
            assert_eq!(module.depth(), 10_000);
            second.release();
            module.drain().await.unwrap();
        });
    });
    assert_eq!(events.len(), 1, "{events:?}");
}

#[test]
fn m6_a_mailbox_that_was_emptied_warns_anew() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let system = System::new();
            let module = system.register_module(Puppet::default()).await.unwrap();
            for _ in 0..2 {
                let held = held(&module).await;
                for number in 0..10_000 {
                    module.try_send(Note(number)).unwrap();
                }
                held.release();
                module.ask(Note(0)).no_timeout().await.unwrap();
                settle().await;
            }
            module.drain().await.unwrap();
        });
    });
    assert_eq!(events.len(), 2, "{events:?}");
}

#[test]
fn m6_a_bound_of_zero_is_a_bound_of_one() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let module = bounded(&system, &log, 0, Overflow::Wait).await;
        let held = held(&module).await;
        module.try_send(Note(0)).unwrap();
        assert!(module.try_send(Note(1)).is_err());
        held.release();
        module.drain().await.unwrap();
        assert_eq!(log.all(), [0]);
    });
}
