//! M4: an ask is answered, or fails as soon as nobody will; deadlines.

use std::time::Duration;

use dms::prelude::*;
use dms::{Failure, ModuleState};
use dms_tests::{
    Boom, Flavor, Log, Note, Puppet, act, act_in, eventually, held, hold, on_every_runtime, on_paused, puppet, settle,
};
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);

/// Gives its replies away.
#[module]
struct Desk {
    kept: Vec<ReplyTo<u64>>,
}

#[module]
impl Desk {
    /// Answers from a task, after a time.
    #[handler(Later)]
    fn later(&mut self, after: Duration, reply: ReplyTo<u64>) {
        tokio::spawn(async move {
            sleep(after).await;
            reply.send(7);
        });
    }

    /// Lets the reply go.
    #[handler(Forget)]
    fn forget(&mut self, reply: ReplyTo<u64>) {
        drop(reply);
    }

    #[handler(Keep)]
    fn keep(&mut self, reply: ReplyTo<u64>) {
        self.kept.push(reply);
    }

    #[handler(Panic)]
    fn panic(&mut self, reply: ReplyTo<u64>) {
        self.kept.push(reply);
        std::panic::resume_unwind(Box::new("with replies in hand"));
    }

    #[handler(Spawned)]
    fn spawned(&mut self, back: ModuleRef<Puppet>, reply: ReplyTo<Result<u64, AskError>>) {
        tokio::spawn(async move { reply.send(back.ask(Note(5)).await) });
    }

    /// Gives the reply to a task that answers in a moment, and asks the asker itself meanwhile.
    #[handler(HandOver)]
    async fn hand_over(&mut self, back: ModuleRef<Puppet>, seen: Log<Result<u64, AskError>>, reply: ReplyTo<u64>) {
        tokio::spawn(async move {
            sleep(5 * MS).await;
            reply.send(1);
        });
        seen.push(back.ask(Note(6)).await);
    }

    #[handler(Awaited)]
    fn awaited(&mut self, reply: ReplyTo<bool>) {
        let is_awaited = reply.is_awaited();
        reply.send(is_awaited);
    }
}

fn desk() -> Desk {
    Desk { kept: Vec::new() }
}

#[module(name = "quick", timeout = "300ms")]
struct Quick;

#[module]
impl Quick {
    #[handler(Sleepy)]
    async fn sleepy(&self, time: Duration) {
        sleep(time).await;
    }
}

#[module(name = "patient", timeout = off)]
struct Patient;

#[module]
impl Patient {
    #[handler(Doze)]
    async fn doze(&self, time: Duration) {
        sleep(time).await;
    }
}

#[test]
fn m4_an_ask_is_answered_with_the_handlers_reply() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        assert_eq!(module.ask(Note(3)).await, Ok(3));
        assert_eq!(module.ask(act(async { "text".to_owned() })).await, Ok("text".to_owned()));
        system.shutdown().await;
    });
}

#[test]
fn m4_an_ask_of_a_stopped_module_fails_at_once() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).name("gone").await.unwrap();
        module.stop().await.unwrap();
        let begun = Instant::now();
        let stopped = AskError::Stopped { module: "gone".to_owned(), handler: "Note" };
        assert_eq!(module.ask(Note(1)).await, Err(stopped.clone()));
        assert_eq!(module.ask(Note(1)).no_timeout().await, Err(stopped));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    });
}

#[test]
fn m4_the_asker_of_a_handler_that_panics_is_told_at_once_and_so_are_those_behind_it() {
    for flavor in Flavor::ALL {
        flavor.run(|| async {
            let system = System::new();
            let module = system.register_module(Puppet::default()).name("bad").await.unwrap();
            let other = system.register_module(Puppet::default()).await.unwrap();
            let held = held(&module).await;
            let begun = Instant::now();
            let asker = tokio::spawn({
                let module = module.clone();
                async move { module.ask(Boom("at work")).no_timeout().await }
            });
            eventually("it waits", || module.depth() == 1).await;
            let behind = tokio::spawn({
                let module = module.clone();
                async move { module.ask(Note(1)).no_timeout().await }
            });
            eventually("it waits", || module.depth() == 2).await;
            held.release();
            let panicked = AskError::Panicked { module: "bad".to_owned(), handler: "Boom" };
            assert_eq!(asker.await.unwrap(), Err(panicked));
            let stopped = AskError::Stopped { module: "bad".to_owned(), handler: "Note" };
            assert_eq!(behind.await.unwrap(), Err(stopped));
            assert!(begun.elapsed() < Duration::from_secs(2));
            let report = module.stopped().await;
            assert_eq!((report.state, report.undelivered), (ModuleState::Failed, 1));
            assert!(matches!(report.failure, Some(Failure::Panic { .. })));
            assert_eq!(other.ask(Note(2)).await, Ok(2), "the other modules live on");
            system.shutdown().await;
        });
    }
}

/// The batch in hand is the worker's, which looks at it again when the running handler returns; the queue is anybody's.
#[test]
fn m4_asks_fail_when_the_module_stops_those_in_the_batch_in_hand_with_the_running_handler() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let first = held(&module).await;
        let (holding, mut second) = hold();
        module.try_send(act(holding)).unwrap();
        let ask = |number| {
            let module = module.clone();
            tokio::spawn(async move { module.ask(Note(number)).no_timeout().await })
        };
        let in_batch = ask(1);
        settle().await;
        first.release();
        second.begun().await;
        let in_queue = ask(2);
        settle().await;
        assert_eq!(module.depth(), 2);
        let mut stop = std::pin::pin!(module.stop());
        assert!(futures::poll!(stop.as_mut()).is_pending());
        settle().await;
        assert!(in_queue.is_finished(), "the one in the queue");
        assert!(!in_batch.is_finished(), "the one in the batch is the worker's");
        second.release();
        assert_eq!(stop.await.unwrap().undelivered, 2);
        assert!(matches!(in_batch.await.unwrap(), Err(AskError::Stopped { .. })));
        assert!(matches!(in_queue.await.unwrap(), Err(AskError::Stopped { .. })));
    });
}

#[test]
fn m4_a_panic_at_an_await_tells_the_asker_too() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let answer = module
            .ask(act(async {
                tokio::task::yield_now().await;
                if true {
                    std::panic::resume_unwind(Box::new("after an await"));
                }
            }))
            .no_timeout()
            .await;
        assert!(matches!(answer, Err(AskError::Panicked { .. })));
        system.shutdown().await;
    });
}

#[test]
fn m4_a_reply_that_is_dropped_fails_its_ask_at_once() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(desk()).name("desk").await.unwrap();
        let begun = Instant::now();
        let answer = module.ask(Forget).no_timeout().await;
        assert_eq!(answer, Err(AskError::NoReply { module: "desk".to_owned(), handler: "forget" }));
        let kept = tokio::spawn({
            let module = module.clone();
            async move { module.keep().no_timeout().await }
        });
        settle().await;
        module.stop().await.unwrap();
        assert!(matches!(kept.await.unwrap(), Err(AskError::NoReply { .. })), "dropped with the module");
        assert_eq!(begun.elapsed(), Duration::ZERO);
    });
}

#[test]
fn m4_replies_kept_by_a_module_that_panics_fail_at_once() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(desk()).await.unwrap();
        let kept = tokio::spawn({
            let module = module.clone();
            async move { module.keep().no_timeout().await }
        });
        settle().await;
        assert!(module.ask(Panic).no_timeout().await.is_err());
        assert!(kept.await.unwrap().is_err());
        assert_eq!(module.stopped().await.state, ModuleState::Failed);
    });
}

#[test]
fn m4_a_reply_may_be_given_from_another_task_also_after_the_module_has_stopped() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(desk()).await.unwrap();
        assert_eq!(module.later(MS).await, Ok(7));
        let late = tokio::spawn({
            let module = module.clone();
            async move { module.later(50 * MS).await }
        });
        assert_eq!(module.awaited().await, Ok(true), "the one before has been handled");
        eventually("it was taken", || module.depth() == 0).await;
        sleep(5 * MS).await;
        module.stop().await.unwrap();
        assert_eq!(late.await.unwrap(), Ok(7));
    });
}

#[test]
fn m4_the_deadline_counts_also_after_the_reply_was_given_away_and_the_module_stopped() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(desk()).await.unwrap();
        for (timeout, least, most) in [(None, 5_000, 5_500), (Some(700), 700, 700)] {
            let begun = Instant::now();
            let hour = Duration::from_hours(1);
            let ask = module.later(hour);
            let answer = match timeout {
                None => ask.await,
                Some(timeout) => ask.timeout(timeout * MS).await,
            };
            assert!(matches!(answer, Err(AskError::Timeout { .. })), "{answer:?}");
            assert!((least..=most).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
        }
        let begun = Instant::now();
        let late = tokio::spawn({
            let module = module.clone();
            async move { module.later(Duration::from_hours(1)).await }
        });
        settle().await;
        module.stop().await.unwrap();
        assert!(matches!(late.await.unwrap(), Err(AskError::Timeout { .. })));
        assert!((5_000..=5_500).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
        system.shutdown().await;
    });
}

#[test]
fn m4_a_message_that_was_sent_has_no_reply_to_await() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(desk()).await.unwrap();
        module.send(Awaited).await.unwrap();
        module.send(Later { after: MS }).await.unwrap();
        module.send(Forget).await.unwrap();
        assert_eq!(module.awaited().await, Ok(true));
        assert_eq!(module.drain().await.unwrap().failure, None);
    });
}

/// The default deadline is coarse: never early, and at most a tenth late, whenever in the course of a sweep it begins.
#[test]
fn m4_the_default_deadline_is_five_seconds_never_early_and_at_most_a_tenth_late() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).name("slow").await.unwrap();
        let held = held(&module).await;
        let mut asks = Vec::new();
        for _ in 0..40 {
            let module = module.clone();
            asks.push(tokio::spawn(async move {
                let begun = Instant::now();
                (module.ask(Note(1)).await, begun.elapsed())
            }));
            sleep(37 * MS).await;
        }
        for ask in asks {
            let (answer, after) = ask.await.unwrap();
            let timeout =
                AskError::Timeout { module: "slow".to_owned(), handler: "Note", after: Duration::from_secs(5) };
            assert_eq!(answer, Err(timeout));
            assert!((5_000..=5_500).contains(&after.as_millis()), "after {after:?}");
        }
        held.release();
        system.shutdown().await;
    });
}

#[test]
fn m4_a_deadline_set_on_the_call_is_exact() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let held = held(&module).await;
        for timeout in [0, 1, 10, 333, 2_499, 2_500, 5_000, 61_234] {
            let begun = Instant::now();
            let answer = module.ask(Note(1)).timeout(timeout * MS).await;
            assert!(matches!(answer, Err(AskError::Timeout { after, .. }) if after == timeout * MS), "{answer:?}");
            assert_eq!(begun.elapsed().as_millis(), u128::from(timeout));
        }
        held.release();
        system.shutdown().await;
    });
}

#[test]
fn m4_the_deadline_of_the_module_and_of_the_system_count_where_the_call_sets_none() {
    on_paused(|| async {
        let system = System::builder("quick").ask_timeout(800 * MS).build();
        let quick = system.register_module(Quick).await.unwrap();
        let plain = system.register_module(Puppet::default()).await.unwrap();
        let patient = system.register_module(Patient).await.unwrap();
        let hour = Duration::from_hours(1);

        let begun = Instant::now();
        assert!(matches!(quick.sleepy(hour).await, Err(AskError::Timeout { .. })));
        assert_eq!(begun.elapsed(), 300 * MS, "the module's, before the system's");

        let begun = Instant::now();
        assert!(matches!(plain.ask(act(std::future::pending::<()>())).await, Err(AskError::Timeout { .. })));
        assert_eq!(begun.elapsed(), 800 * MS, "the system's");

        let begun = Instant::now();
        assert_eq!(patient.doze(hour).await, Ok(()));
        assert_eq!(begun.elapsed(), hour, "none, by the module");
        assert!(matches!(patient.doze(hour).timeout(MS).await, Err(AskError::Timeout { .. })));

        let endless = System::builder("endless").no_ask_timeout().build();
        let module = endless.register_module(Puppet::default()).await.unwrap();
        let begun = Instant::now();
        assert_eq!(module.ask(act(sleep(hour))).await, Ok(()));
        assert_eq!(begun.elapsed(), hour, "none, by the system");
        system.shutdown_within(MS).await;
        endless.shutdown().await;
    });
}

#[test]
fn m4_an_ask_without_a_deadline_waits_for_an_hour() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let begun = Instant::now();
        let hour = Duration::from_hours(1);
        assert_eq!(module.ask(act(sleep(hour))).no_timeout().await, Ok(()));
        assert_eq!(begun.elapsed(), hour);
        assert_eq!(module.ask(act(sleep(hour))).timeout(Duration::MAX).await, Ok(()));
        system.shutdown().await;
    });
}

#[test]
fn m4_the_deadline_travels_with_the_call_into_nested_asks() {
    on_paused(|| async {
        let system = System::new();
        let (outer, middle) = (
            system.register_module(Puppet::default()).await.unwrap(),
            system.register_module(Puppet::default()).await.unwrap(),
        );
        let inner = system.register_module(Puppet::default()).name("inner").await.unwrap();
        let held = held(&inner).await;
        let seen = Log::new();
        let log = seen.clone();
        let begun = Instant::now();
        let answer = outer
            .ask(act(async move {
                sleep(100 * MS).await;
                middle
                    .ask(act(async move {
                        sleep(100 * MS).await;
                        // What is left of the first caller's second counts, whatever is written here.
                        log.push((inner.ask(Note(1)).no_timeout().await, Instant::now()));
                        log.push((inner.ask(Note(1)).timeout(3_600_000 * MS).await, Instant::now()));
                    }))
                    .timeout(Duration::from_mins(1))
                    .await
            }))
            .timeout(Duration::from_secs(1))
            .await;
        assert!(matches!(answer, Err(AskError::Timeout { .. })));
        assert_eq!(begun.elapsed(), 1_000 * MS);
        settle().await;
        sleep(5 * MS).await;
        let seen = seen.take();
        assert_eq!(seen.len(), 2);
        for (answer, at) in seen {
            assert!(matches!(answer, Err(AskError::Timeout { .. })), "{answer:?}");
            assert!((at - begun).as_millis().abs_diff(1_000) <= 2, "{:?}", at - begun);
        }
        held.release();
        system.shutdown().await;
    });
}

#[test]
fn m4_a_nested_ask_may_have_less_time_than_its_caller() {
    on_paused(|| async {
        let system = System::new();
        let outer = system.register_module(Puppet::default()).await.unwrap();
        let inner = system.register_module(Puppet::default()).await.unwrap();
        let held = held(&inner).await;
        let begun = Instant::now();
        let answer = outer.ask(act(async move { inner.ask(Note(1)).timeout(250 * MS).await })).await.unwrap();
        assert!(matches!(answer, Err(AskError::Timeout { after, .. }) if after == 250 * MS));
        assert_eq!(begun.elapsed(), 250 * MS);
        held.release();
        system.shutdown().await;
    });
}

#[test]
fn m4_the_default_deadline_travels_into_nested_asks_too() {
    on_paused(|| async {
        let system = System::new();
        let outer = system.register_module(Puppet::default()).await.unwrap();
        let inner = system.register_module(Puppet::default()).await.unwrap();
        let held = held(&inner).await;
        let begun = Instant::now();
        let seen = Log::new();
        let log = seen.clone();
        let answer = outer
            .ask(act(async move {
                sleep(Duration::from_secs(3)).await;
                log.push((inner.ask(Note(1)).await.is_err(), Instant::now()));
            }))
            .await;
        assert!(matches!(answer, Err(AskError::Timeout { .. })));
        sleep(Duration::from_secs(1)).await;
        let seen = seen.take();
        assert_eq!(seen.len(), 1, "the inner ask has ended with its caller's deadline, not two seconds later");
        assert!(seen[0].0);
        assert!((5_000..=5_600).contains(&(seen[0].1 - begun).as_millis()), "{:?}", seen[0].1 - begun);
        held.release();
        system.shutdown().await;
    });
}

/// After one asked handler the next, that was only sent, has all the time in the world.
#[test]
fn m4_a_deadline_ends_with_its_handler() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let outer = system.register_module(Puppet::default()).await.unwrap();
        let inner = system.register_module(Puppet::default()).await.unwrap();
        outer.ask(Note(1)).timeout(10 * MS).await.unwrap();
        let answers = log.clone();
        outer
            .send(act(async move { answers.push(inner.ask(act(sleep(Duration::from_secs(4)))).await) }))
            .await
            .unwrap();
        outer.drain().await.unwrap();
        assert_eq!(log.take(), [Ok(())]);
    });
}

#[test]
fn m4_a_handler_does_not_start_for_a_caller_that_has_gone() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        let held = held(&module).await;
        // One whose deadline passes, one that is dropped, and one that is neither.
        assert!(matches!(module.ask(Note(1)).timeout(5 * MS).await, Err(AskError::Timeout { .. })));
        {
            let mut ask = std::pin::pin!(module.ask(Note(2)).into_future());
            assert!(futures::poll!(ask.as_mut()).is_pending());
        }
        module.send(Note(3)).await.unwrap();
        held.release();
        assert_eq!(module.ask(Note(4)).await, Ok(4));
        assert_eq!(log.all(), [3, 4]);
        system.shutdown().await;
    });
}

#[test]
fn m4_a_handler_does_not_start_for_a_caller_whose_coarse_deadline_has_passed() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        let held = held(&module).await;
        assert!(matches!(module.ask(Note(1)).await, Err(AskError::Timeout { .. })));
        held.release();
        assert_eq!(module.ask(Note(2)).await, Ok(2));
        assert_eq!(log.all(), [2]);
        system.shutdown().await;
    });
}

#[test]
fn m4_a_handler_that_has_begun_goes_on_when_its_caller_gives_up() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let done = log.clone();
        let answer = module
            .ask(act(async move {
                sleep(100 * MS).await;
                done.push(1);
            }))
            .timeout(10 * MS)
            .await;
        assert!(answer.is_err());
        module.drain().await.unwrap();
        assert_eq!(log.all(), [1]);
    });
}

/// Keeps all replies for ever.
#[module(timeout = "2500ms")]
struct Hoarder {
    kept: Vec<ReplyTo<()>>,
}

#[module]
impl Hoarder {
    #[handler(Hoard)]
    fn hoard(&mut self, reply: ReplyTo<()>) {
        self.kept.push(reply);
    }

    #[handler(Nothing)]
    fn nothing(&mut self) {}
}

/// The worker turns its lists of open asks over and over while the sweeps look at them.
#[test]
fn m4_no_deadline_is_lost_while_the_mailbox_is_busy() {
    Flavor::MultiThread.run(|| async {
        let system = System::new();
        let module = system.register_module(Hoarder { kept: Vec::new() }).await.unwrap();
        let begun = Instant::now();
        let asks: Vec<_> = (0..500)
            .map(|_| {
                let module = module.clone();
                tokio::spawn(async move { module.hoard().await })
            })
            .collect();
        let busy = tokio::spawn({
            let module = module.clone();
            async move {
                while module.send(Nothing).await.is_ok() {
                    tokio::task::yield_now().await;
                }
            }
        });
        for ask in asks {
            let answer =
                tokio::time::timeout(Duration::from_secs(15), ask).await.expect("its deadline ends it").unwrap();
            assert!(matches!(answer, Err(AskError::Timeout { .. })), "{answer:?}");
        }
        assert!(begun.elapsed() >= 2_500 * MS);
        module.stop().await.unwrap();
        busy.await.unwrap();
    });
}

#[test]
fn m4_the_deadline_counts_while_the_ask_waits_for_room() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).mailbox(1).await.unwrap();
        let held = held(&module).await;
        module.try_send(Note(0)).unwrap();
        let begun = Instant::now();
        assert!(matches!(module.ask(Note(1)).timeout(123 * MS).await, Err(AskError::Timeout { .. })));
        assert_eq!(begun.elapsed(), 123 * MS);
        let begun = Instant::now();
        assert!(matches!(module.ask(Note(2)).await, Err(AskError::Timeout { .. })));
        assert!((5_000..=5_500).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
        held.release();
        assert_eq!(module.ask(Note(3)).await, Ok(3));
        assert_eq!(log.all(), [0, 3]);
        assert_eq!(module.drain().await.unwrap().undelivered, 0);
    });
}

#[test]
fn m4_no_ask_waits_longer_because_others_end() {
    on_paused(|| async {
        let system = System::new();
        let slow = system.register_module(Puppet::default()).await.unwrap();
        let held = held(&slow).await;
        let asks: Vec<_> = (0..1_000_u32)
            .map(|number| {
                let slow = slow.clone();
                tokio::spawn(async move {
                    sleep(number % 50 * MS).await;
                    let begun = Instant::now();
                    if number % 3 == 0 {
                        assert!(slow.ask(Note(1)).timeout(number * MS).await.is_err());
                        return;
                    }
                    assert!(matches!(slow.ask(Note(1)).await, Err(AskError::Timeout { .. })));
                    assert!((5_000..=5_500).contains(&begun.elapsed().as_millis()));
                })
            })
            .collect();
        for ask in asks {
            ask.await.unwrap();
        }
        held.release();
        system.shutdown().await;
    });
}

#[test]
fn m5_a_reply_that_was_handed_to_another_task_is_no_deadlock() {
    on_every_runtime(|| async {
        let system = System::new();
        let puppet = system.register_module(Puppet::default()).await.unwrap();
        let desk = system.register_module(desk()).await.unwrap();
        let seen = Log::new();
        for _ in 0..20 {
            let (to, back, log) = (desk.clone(), puppet.clone(), seen.clone());
            let answer = puppet.ask(act(async move { to.hand_over(back, log).await })).await.unwrap();
            assert_eq!(answer, Ok(1));
            // The desk is done with its own ask before the next round begins.
            assert_eq!(desk.awaited().await, Ok(true));
        }
        assert_eq!(seen.take(), vec![Ok(6); 20]);
        assert_eq!(puppet.ask(Note(1)).await, Ok(1));
        system.shutdown().await;
    });
}

#[test]
fn m5_a_task_that_has_the_reply_and_asks_back_ends_at_the_deadline() {
    on_paused(|| async {
        let system = System::new();
        let puppet = system.register_module(Puppet::default()).await.unwrap();
        let desk = system.register_module(desk()).await.unwrap();
        let back = puppet.clone();
        let answer = puppet.ask(act(async move { desk.spawned(back).await })).no_timeout().await.unwrap();
        assert!(matches!(answer, Err(AskError::Timeout { .. }) | Ok(Err(AskError::Timeout { .. }))), "{answer:?}");
        system.shutdown().await;
    });
}

#[test]
fn m4_blocking_asks_work_from_threads_and_are_refused_in_handlers() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let other = system.register_module(Puppet::default()).await.unwrap();
        let asked = module.clone();
        let answer = tokio::task::spawn_blocking(move || asked.blocking_ask(Note(8))).await.unwrap();
        assert_eq!(answer, Ok(8));
        let refused = module
            .ask(act_in(move |_| {
                Box::pin(async move { (other.blocking_ask(Note(1)), other.blocking_send(Note(2)).is_ok()) })
            }))
            .await
            .unwrap();
        assert_eq!(refused, (Err(AskError::WouldBlock { handler: "Note" }), true));
        system.shutdown().await;
    });
}

#[test]
fn m4_a_blocking_ask_ends_at_its_deadline() {
    Flavor::MultiThread.run(|| async {
        let system = System::builder("quick").ask_timeout(50 * MS).build();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let held = held(&module).await;
        let asked = module.clone();
        let answer = std::thread::spawn(move || asked.blocking_ask(Note(8)));
        eventually("it ends", || answer.is_finished()).await;
        assert!(matches!(answer.join().unwrap(), Err(AskError::Timeout { .. })));
        held.release();
        system.shutdown().await;
    });
}

#[test]
fn m4_errors_name_the_module_and_the_handler_and_no_path() {
    on_paused(|| async {
        let system = System::new();
        let quick = system.register_module(Quick).await.unwrap();
        let (holding, _held) = hold();
        let text = quick.sleepy(Duration::from_secs(9)).await.unwrap_err().to_string();
        assert!(text.contains("`quick`") && text.contains("`sleepy`") && text.contains("300ms"), "{text}");
        assert!(!text.contains("::"), "{text}");
        let module = system.register_module(Puppet::default()).await.unwrap();
        let text = module.ask(act(holding)).timeout(MS).await.unwrap_err().to_string();
        assert!(text.contains("`Puppet#2`") && text.contains("`Do`") && !text.contains("::"), "{text}");
        system.shutdown_within(MS).await;
    });
}

#[test]
fn m4_two_asks_of_one_task_each_end_with_their_own_deadline() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let held = held(&module).await;
        let begun = Instant::now();
        let ask = |after: u64| {
            let module = module.clone();
            async move {
                sleep(Duration::from_secs(after)).await;
                let asked = Instant::now();
                assert!(matches!(module.ask(Note(1)).await, Err(AskError::Timeout { .. })));
                asked.elapsed()
            }
        };
        let (first, second) = tokio::join!(ask(0), ask(2));
        for waited in [first, second] {
            assert!((5_000..=5_500).contains(&waited.as_millis()), "{waited:?}");
        }
        assert!(begun.elapsed() < Duration::from_millis(7_500));
        held.release();
        system.shutdown().await;
    });
}

#[test]
fn m4_an_ask_that_goes_on_in_another_task_ends_with_its_deadline() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let held = held(&module).await;
        let begun = Instant::now();
        let asked = module.clone();
        let mut ask = Box::pin(async move { asked.ask(Note(1)).await });
        // Polled once here; what waits for it later is another task.
        assert!(tokio::time::timeout(MS, &mut ask).await.is_err());
        let answer = tokio::spawn(ask).await.unwrap();
        assert!(matches!(answer, Err(AskError::Timeout { .. })));
        assert!((5_000..=5_500).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
        held.release();
        system.shutdown().await;
    });
}

/// Gives the reply to a module of another system.
#[module]
struct Front {
    back: ModuleRef<Back>,
}

#[module]
impl Front {
    #[handler(Forward)]
    async fn forward(&mut self, reply: ReplyTo<u64>) {
        assert!(self.back.send(Answer(reply)).await.is_ok());
    }
}

#[module]
struct Back;

struct Answer(ReplyTo<u64>);

#[module]
impl Back {
    #[handler]
    fn answer(&mut self, Answer(reply): Answer) {
        reply.send(7);
    }

    #[handler(Rest)]
    async fn rest(&mut self) {
        sleep(Duration::from_secs(4)).await;
    }
}

/// Systems count their sweeps each for itself.
#[test]
fn m4_an_answer_from_a_module_of_an_older_system_is_not_late() {
    on_paused(|| async {
        let old = System::new();
        let back = old.register_module(Back).await.unwrap();
        for _ in 0..10 {
            back.ask(Rest).await.unwrap();
        }
        let new = System::new();
        let front = new.register_module(Front { back }).await.unwrap();
        assert_eq!(front.ask(Forward).await.unwrap(), 7);
        old.shutdown().await;
        new.shutdown().await;
    });
}
