//! M1 to M3: one handler at a time, in order, and nothing lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dms::{AskError, Failure, ModuleState, SendError, System};
use dms_tests::{
    Boom, Drops, Flavor, Log, Note, Puppet, act, act_in, cases, eventually, held, hold, on_every_runtime, on_paused,
    puppet, settle,
};

#[test]
fn m1_a_module_runs_one_handler_at_a_time() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let mut senders = Vec::new();
        for _ in 0..4 {
            let (module, running, most) = (module.clone(), running.clone(), most.clone());
            senders.push(tokio::spawn(async move {
                for _ in 0..100 {
                    let (running, most) = (running.clone(), most.clone());
                    let handler = act(async move {
                        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        running.fetch_sub(1, Ordering::SeqCst);
                    });
                    module.ask(handler).await.unwrap();
                }
            }));
        }
        for sender in senders {
            sender.await.unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 1);
        system.shutdown().await;
    });
}

#[test]
fn m1_modules_run_concurrently() {
    on_every_runtime(|| async {
        let system = System::new();
        let stuck = system.register_module(Puppet::default()).await.unwrap();
        let free = system.register_module(Puppet::default()).await.unwrap();
        let held = held(&stuck).await;
        for number in 0..100 {
            assert_eq!(free.ask(Note(number)).await, Ok(number));
        }
        held.release();
        assert_eq!(stuck.ask(Note(7)).await, Ok(7));
        system.shutdown().await;
    });
}

#[test]
fn m1_modules_run_in_parallel_on_several_threads() {
    Flavor::MultiThread.run(|| async {
        let system = System::new();
        let one = system.register_module(Puppet::default()).await.unwrap();
        let other = system.register_module(Puppet::default()).await.unwrap();
        // Each blocks its thread until the other is there as well.
        let meeting = Arc::new(std::sync::Barrier::new(2));
        let meet = |meeting: Arc<std::sync::Barrier>| act(async move { meeting.wait().is_leader() });
        let (one, other) = tokio::join!(one.ask(meet(meeting.clone())), other.ask(meet(meeting.clone())));
        assert!(one.unwrap() ^ other.unwrap());
        system.shutdown().await;
    });
}

#[test]
fn m1_a_handler_that_is_always_ready_lets_other_tasks_run() {
    Flavor::CurrentThread.run(|| async {
        let system = System::new();
        let log = Log::new();
        let busy = system.register_module(puppet(&log)).await.unwrap();
        for number in 0..100_000 {
            busy.try_send(Note(number)).unwrap();
        }
        tokio::task::yield_now().await;
        assert!((1..100_000).contains(&log.len()), "after one turn {} were handled", log.len());
        system.shutdown().await;
    });
}

#[test]
fn m2_a_message_is_in_the_mailbox_when_send_returns() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let held = held(&module).await;
        for sent in 1..=10 {
            module.send(Note(sent)).await.unwrap();
            assert_eq!(module.depth() as u64, sent);
        }
        held.release();
        system.shutdown().await;
    });
}

#[test]
fn m2_a_send_that_returns_before_another_begins_is_handled_first() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        // Tasks that take turns: each send begins when the one before, in another task, has returned.
        let rounds = 500;
        let (first, mut token) = tokio::sync::mpsc::channel::<u64>(1);
        let mut senders = Vec::new();
        let mut next = first.clone();
        for _ in 0..3 {
            let (to, from) = tokio::sync::mpsc::channel::<u64>(1);
            let (module, to_next) = (module.clone(), std::mem::replace(&mut next, to));
            let mut from = from;
            senders.push(tokio::spawn(async move {
                while let Some(number) = from.recv().await {
                    module.send(Note(number)).await.unwrap();
                    if to_next.send(number + 1).await.is_err() {
                        return;
                    }
                }
            }));
        }
        drop(first);
        let mut number = 0;
        for _ in 0..rounds {
            next.send(number).await.unwrap();
            number = token.recv().await.unwrap();
            module.send(Note(number)).await.unwrap();
            number += 1;
        }
        drop((next, token));
        for sender in senders {
            sender.await.unwrap();
        }
        module.drain().await.unwrap();
        assert_eq!(log.all(), (0..number).collect::<Vec<_>>());
        assert_eq!(number, rounds * 4);
    });
}

#[test]
fn m2_each_sender_of_many_keeps_its_order() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        let mut senders = Vec::new();
        for sender in 0..4_u64 {
            let module = module.clone();
            senders.push(tokio::spawn(async move {
                for number in 0..2_000 {
                    module.send(Note(sender << 32 | number)).await.unwrap();
                    if number % 256 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
            }));
        }
        for sender in senders {
            sender.await.unwrap();
        }
        module.drain().await.unwrap();
        let all = log.all();
        assert_eq!(all.len(), 8_000);
        for sender in 0..4 {
            let own: Vec<_> =
                all.iter().filter(|entry| *entry >> 32 == sender).map(|entry| entry & 0xFFFF_FFFF).collect();
            assert_eq!(own, (0..2_000).collect::<Vec<_>>());
        }
    });
}

#[test]
fn m2_sends_asks_and_sends_from_threads_are_one_queue() {
    Flavor::MultiThread.run(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        let held = held(&module).await;
        module.send(Note(0)).await.unwrap();
        let asked = tokio::spawn({
            let module = module.clone();
            async move { module.ask(Note(1)).await }
        });
        eventually("the ask is queued", || module.depth() == 2).await;
        let thread = std::thread::spawn({
            let module = module.clone();
            move || {
                module.blocking_send(Note(2)).unwrap();
                module.try_send(Note(3)).unwrap();
                module.blocking_ask(Note(4)).unwrap()
            }
        });
        eventually("the thread has asked", || module.depth() == 5).await;
        held.release();
        assert_eq!(asked.await.unwrap(), Ok(1));
        assert_eq!(thread.join().unwrap(), 4);
        assert_eq!(log.all(), [0, 1, 2, 3, 4]);
        system.shutdown().await;
    });
}

#[test]
fn m3_a_send_to_a_stopped_module_returns_the_message() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).name("gone").await.unwrap();
        module.stop().await.unwrap();
        assert_eq!(module.send(Note(1)).await, Err(SendError::Stopped(Note(1), "gone".to_owned())));
        assert_eq!(module.try_send(Note(2)), Err(SendError::Stopped(Note(2), "gone".to_owned())));
        let recipient = module.recipient::<Note>();
        assert_eq!(recipient.send(Note(3)).await.unwrap_err().into_message(), Note(3));
        assert_eq!(recipient.try_send(Note(4)).unwrap_err().into_message(), Note(4));
        let thread = std::thread::spawn(move || module.blocking_send(Note(5)));
        assert_eq!(thread.join().unwrap().unwrap_err().into_message(), Note(5));
        system.shutdown().await;
    });
}

#[test]
fn m3_a_send_while_the_stop_hook_runs_returns_the_message() {
    on_every_runtime(|| async {
        let (stopping, mut held) = hold();
        let system = System::new();
        let module = system
            .register_module(Puppet::default().on_stop(|_| {
                Box::pin(async {
                    stopping.await;
                    Ok(())
                })
            }))
            .await
            .unwrap();
        let stop = tokio::spawn({
            let module = module.clone();
            async move { module.stop().await.unwrap() }
        });
        held.begun().await;
        assert_eq!(module.try_send(Note(1)).unwrap_err().into_message(), Note(1));
        assert!(matches!(module.ask(Note(1)).await, Err(AskError::Stopped { .. })));
        held.release();
        assert_eq!(stop.await.unwrap().undelivered, 0);
    });
}

#[test]
fn m3_a_message_that_waits_for_room_comes_back_when_the_module_stops() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).mailbox(1).await.unwrap();
        let held = held(&module).await;
        module.send(Note(0)).await.unwrap();
        let waiting: Vec<_> = (1..=3)
            .map(|number| {
                let module = module.clone();
                tokio::spawn(async move { module.send(Note(number)).await })
            })
            .collect();
        let asking = tokio::spawn({
            let module = module.clone();
            async move { module.ask(Note(9)).await }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        let stop = tokio::spawn({
            let module = module.clone();
            async move { module.stop().await.unwrap() }
        });
        for (sender, number) in waiting.into_iter().zip(1..) {
            assert_eq!(sender.await.unwrap().unwrap_err().into_message(), Note(number));
        }
        assert!(matches!(asking.await.unwrap(), Err(AskError::Stopped { .. })));
        held.release();
        assert_eq!(stop.await.unwrap().undelivered, 1, "only what was accepted is undelivered");
    });
}

#[test]
fn m3_what_waits_when_a_module_stops_is_reported_undelivered_and_its_asks_fail_at_once() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        let held = held(&module).await;
        for number in 0..10 {
            module.send(Note(number)).await.unwrap();
        }
        let asks: Vec<_> = (0..5)
            .map(|number| {
                let module = module.clone();
                tokio::spawn(async move { module.ask(Note(number)).no_timeout().await })
            })
            .collect();
        eventually("all wait", || module.depth() == 15).await;
        let stop = tokio::spawn({
            let module = module.clone();
            async move { module.stop().await.unwrap() }
        });
        // The handler in hand still runs: the asks that wait behind it do not wait for it.
        for ask in asks {
            assert!(matches!(ask.await.unwrap(), Err(AskError::Stopped { .. })));
        }
        held.release();
        let report = stop.await.unwrap();
        assert_eq!((report.state, report.undelivered), (ModuleState::Stopped, 15));
        assert!(log.is_empty());
    });
}

#[test]
fn m3_a_panic_with_a_batch_in_hand_reports_the_rest_undelivered() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let dropped = Drops::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        let held = held(&module).await;
        // All of this is one batch once the held handler returns.
        for number in 0..3 {
            module.send(Note(number)).await.unwrap();
        }
        module.send(Boom("as told")).await.unwrap();
        let tokens: Vec<_> = (0..6).map(|_| dropped.token()).collect();
        for token in tokens {
            module.send(act(async move { drop(token) })).await.unwrap();
        }
        held.release();
        let report = module.stopped().await;
        assert_eq!(report.state, ModuleState::Failed);
        assert_eq!(report.undelivered, 6);
        assert_eq!(log.all(), [0, 1, 2]);
        assert_eq!(dropped.count(), 6);
        let Some(Failure::Panic { place, text }) = report.failure else { panic!("{:?}", report.failure) };
        assert_eq!((&*place, &*text), ("Boom", "as told"));
        let shutdown = system.shutdown().await;
        assert!(shutdown.modules.is_empty(), "the module had ended before");
    });
}

#[test]
fn m3_a_message_dropped_while_a_module_stops_may_send_to_it_and_others() {
    struct Sends(dms::ModuleRef<Puppet>, dms::ModuleRef<Puppet>, Log<bool>);
    impl Drop for Sends {
        fn drop(&mut self) {
            self.2.push(self.0.try_send(Note(1)).is_ok());
            self.2.push(self.1.try_send(Note(2)).is_ok());
        }
    }
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let other = system.register_module(puppet(&log)).await.unwrap();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let held = held(&module).await;
        let sends = Log::new();
        for _ in 0..3 {
            let message = Sends(module.clone(), other.clone(), sends.clone());
            module.send(act(async move { drop(message) })).await.unwrap();
        }
        let (report, ()) = tokio::join!(async { module.stop().await.unwrap() }, async { held.release() });
        assert_eq!(report.undelivered, 3);
        assert_eq!(sends.all(), [false, true, false, true, false, true]);
        other.drain().await.unwrap();
        assert_eq!(log.all(), [2, 2, 2]);
    });
}

#[test]
fn m3_a_message_whose_drop_panics_takes_nothing_else_down() {
    struct Bomb(bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0 {
                std::panic::resume_unwind(Box::new("a message's drop"));
            }
        }
    }
    on_every_runtime(|| async {
        let system = System::new();
        let dropped = Drops::new();
        let module = system.register_module(Puppet::default().keeping(dropped.token())).await.unwrap();
        let other = system.register_module(Puppet::default()).await.unwrap();
        let held = held(&module).await;
        let bomb = Bomb(true);
        module.send(act(async move { drop(bomb) })).await.unwrap();
        let harmless = (Bomb(false), dropped.token());
        module.send(act(async move { drop(harmless) })).await.unwrap();
        let (report, ()) = tokio::join!(async { module.stop().await.unwrap() }, async { held.release() });
        assert_eq!((report.state, report.undelivered), (ModuleState::Stopped, 2));
        assert_eq!(dropped.count(), 2, "the module and the other message");
        assert_eq!(other.ask(Note(3)).await, Ok(3));
        system.shutdown().await;
    });
}

/// Two of them in one batch: the second must not panic while the first unwinds, for that ends the process. So the test runs in one of its own.
#[test]
fn m3_many_messages_whose_drops_panic_do_not_end_the_process() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("a message's drop"));
        }
    }
    if std::env::var_os("DMS_TEST_CHILD").is_none() {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &name])
            .env("DMS_TEST_CHILD", "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && said.contains("1 passed"), "{}\n{said}", child.status);
        return;
    }
    on_every_runtime(|| async {
        let system = System::new();
        let dropped = Drops::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let first = held(&module).await;
        for _ in 0..2 {
            for _ in 0..3 {
                let bomb = (dropped.token(), Bomb);
                module.send(act(async move { drop(bomb) })).await.unwrap();
            }
        }
        let (report, ()) = tokio::join!(async { module.stop().await.unwrap() }, async { first.release() });
        assert_eq!((report.state, report.undelivered), (ModuleState::Stopped, 6));
        assert_eq!(dropped.count(), 6);
        system.shutdown().await;
    });
}

#[test]
fn m3_a_module_whose_drop_panics_has_failed_and_takes_nothing_else_down() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("a module's drop"));
        }
    }
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default().keeping(Bomb)).await.unwrap();
        let other = system.register_module(Puppet::default()).await.unwrap();
        let report = module.stop().await.unwrap();
        assert_eq!(report.state, ModuleState::Failed);
        let Some(Failure::Panic { place, text }) = report.failure else { panic!("{:?}", report.failure) };
        assert_eq!((&*place, &*text), ("drop", "a module's drop"));
        assert_eq!(other.ask(Note(3)).await, Ok(3));
        assert!(system.shutdown().await.complete);
    });
}

#[test]
fn m3_a_handler_that_sends_to_its_own_module_after_it_was_stopped_gets_the_message_back() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let refused = module
            .ask(act_in(|ctx| {
                Box::pin(async move {
                    ctx.self_ref().try_send(Note(1)).unwrap();
                    ctx.stop().unwrap();
                    ctx.self_ref().try_send(Note(2))
                })
            }))
            .await
            .unwrap();
        assert_eq!(refused.unwrap_err().into_message(), Note(2));
        assert_eq!(module.stopped().await.undelivered, 1);
    });
}

/// Senders race with the end of their module, over and over: whatever was accepted was handled, or counted.
#[test]
fn m3_accepted_is_handled_or_undelivered_whatever_the_moment_of_the_end() {
    let rounds = cases(300, 50_000);
    Flavor::MultiThread.runtime().block_on(async {
        let mut ended_early = 0;
        for round in 0..rounds {
            let system = System::new();
            let log = Log::new();
            let bounded = round % 3 == 1;
            let mut registration = system.register_module(puppet(&log));
            if bounded {
                registration = registration.mailbox(3);
            }
            let module = registration.await.unwrap();
            let senders: Vec<_> = (0..3)
                .map(|_| {
                    let module = module.clone();
                    tokio::spawn(async move {
                        let (mut accepted, mut panics) = (0_u64, 0_u64);
                        for number in 0..200 {
                            match module.send(Note(number)).await {
                                Ok(()) => accepted += 1,
                                Err(error) => {
                                    assert_eq!(error.into_message(), Note(number));
                                    break;
                                }
                            }
                            if round % 7 == 6 && number == 100 && module.try_send(Boom("in the middle")).is_ok() {
                                panics += 1;
                            }
                        }
                        (accepted, panics)
                    })
                })
                .collect();
            for _ in 0..(round * 37 % 400) {
                std::hint::spin_loop();
            }
            for _ in 0..round % 5 {
                tokio::task::yield_now().await;
            }
            let report = match round % 4 {
                0 => module.stop().await.unwrap(),
                1 => module.drain().await.unwrap(),
                2 => {
                    system.shutdown().await;
                    module.stopped().await
                }
                _ => {
                    drop(system);
                    module.stopped().await
                }
            };
            let (mut accepted, mut panics) = (0, 0);
            for sender in senders {
                let (own, boom) = sender.await.unwrap();
                accepted += own;
                panics += boom;
            }
            let panicked = u64::from(report.failure.is_some());
            // The messages after the panic's, and the panicking one if it was not reached, are undelivered.
            assert_eq!(accepted + panics, log.len() as u64 + report.undelivered + panicked, "round {round}");
            if round % 4 == 1 && panicked == 0 {
                assert_eq!(report.undelivered, 0, "a drain handles what it finds");
            }
            ended_early += u64::from(accepted < 600);
            assert_eq!(module.depth(), 0);
        }
        assert!(ended_early > 0, "no end ever came into the middle");
        settle().await;
    });
}
