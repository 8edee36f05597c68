//! Messages that are handled again where their handler failed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dms::prelude::*;
use dms::recovery::{Backoff, Jitter, Restart};
use dms::{AskError, Failure};
use dms_tests::{Flavor, Log, cases, eventually, on_every_runtime, on_paused};
use proptest::prelude::*;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// Without a wait, and as often as it takes.
const AT_ONCE: Restart = Restart::on_failure()
    .max_restarts(u32::MAX, Duration::from_millis(1))
    .backoff(Backoff::new(Duration::ZERO, Duration::ZERO));

const AFTER_A_SECOND: Restart = Restart::on_failure()
    .max_restarts(100, Duration::from_millis(1))
    .backoff(Backoff::new(SECOND, SECOND).jitter(Jitter::None));

/// Fails so often, then succeeds.
#[module(name = "mill")]
#[derive(Default)]
struct Mill {
    log: Log<u32>,
    tries: Arc<AtomicU32>,
}

#[module]
impl Mill {
    #[handler(Grind, derive(Clone), retry = 3)]
    async fn grind(&mut self, number: u32, fails: u32) -> u32 {
        tokio::task::yield_now().await;
        if self.tries.fetch_add(1, Ordering::SeqCst) < fails {
            std::panic::resume_unwind(Box::new("jammed"));
        }
        self.tries.store(0, Ordering::SeqCst);
        self.log.push(number);
        number
    }

    #[handler(Press, derive(Clone), boxed, retry = 1, deadline = "1s")]
    async fn press(&mut self, number: u32) -> u32 {
        if self.tries.fetch_add(1, Ordering::SeqCst) == 0 {
            std::future::pending::<()>().await;
        }
        self.log.push(number);
        number
    }

    #[handler(Sift, derive(Clone), retry = 1)]
    fn sift(&mut self, number: u32) -> u32 {
        if self.tries.fetch_add(1, Ordering::SeqCst) == 0 {
            std::panic::resume_unwind(Box::new("jammed"));
        }
        number
    }

    #[handler(Hang, derive(Clone), retry = 100)]
    async fn hang(&mut self) {
        self.tries.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<()>().await;
    }

    #[handler(Note)]
    fn note(&mut self, number: u32) {
        self.log.push(number);
    }
}

async fn mill(system: &System, restart: Restart) -> (ModuleRef<Mill>, Log<u32>, Arc<AtomicU32>) {
    let (log, tries) = (Log::new(), Arc::new(AtomicU32::new(0)));
    let own = (log.clone(), Arc::clone(&tries));
    let build = move |_| Mill { log: own.0.clone(), tries: Arc::clone(&own.1) };
    (system.register_with(build).restart(restart).await.unwrap(), log, tries)
}

#[test]
fn a_message_whose_handler_panicked_is_handled_again_first_while_its_asker_waits() {
    on_every_runtime(|| async {
        let system = System::new();
        let (mill, log, _) = mill(&system, AT_ONCE).await;
        for number in 0..3 {
            mill.send(Note { number: 10 + number }).await.unwrap();
            mill.send(Grind { number, fails: 3 }).await.unwrap();
        }
        assert_eq!(mill.grind(3, 2).await, Ok(3));
        assert_eq!(log.all(), [10, 0, 11, 1, 12, 2, 3]);
        assert_eq!(mill.incarnation(), 1 + 3 * 3 + 2);
        assert_eq!(mill.depth(), 0);
        assert_eq!(system.shutdown().await.undelivered, 0);
    });
}

#[test]
fn after_the_last_try_the_asker_has_the_error_and_the_message_is_lost() {
    on_every_runtime(|| async {
        let system = System::new();
        let (mill, log, tries) = mill(&system, AT_ONCE).await;
        let error = mill.grind(1, u32::MAX).await.unwrap_err();
        assert!(matches!(error, AskError::Panicked { handler: "grind", .. }), "{error}");
        assert_eq!(tries.load(Ordering::SeqCst), 4);
        mill.note(2).await.unwrap();
        assert_eq!((log.all(), mill.incarnation()), (vec![2], 5));
        // The next one has all its tries again.
        tries.store(0, Ordering::SeqCst);
        assert_eq!(mill.grind(3, 3).await, Ok(3));
        assert_eq!(system.shutdown().await.undelivered, 0);
    });
}

#[test]
fn a_message_whose_handler_overran_is_handled_again() {
    on_paused(|| async {
        let system = System::new();
        let (mill, log, tries) = mill(&system, AT_ONCE).await;
        let begun = Instant::now();
        assert_eq!(mill.press(1).await, Ok(1));
        assert_eq!((begun.elapsed(), log.all()), (SECOND, vec![1]));
        tries.store(0, Ordering::SeqCst);
        assert_eq!(mill.sift(2).await, Ok(2), "a handler that is not async has another try too");
        system.shutdown().await;
    });
}

#[test]
fn where_the_asker_has_given_up_its_message_is_not_begun_again() {
    on_paused(|| async {
        let system = System::new();
        let (mill, log, tries) = mill(&system, AFTER_A_SECOND).await;
        let ask = mill.ask(Grind { number: 1, fails: u32::MAX }).timeout(3 * SECOND / 2);
        assert!(matches!(ask.await, Err(AskError::Timeout { .. })));
        mill.note(2).await.unwrap();
        assert_eq!(tries.load(Ordering::SeqCst), 2, "at once, and after a second");
        assert_eq!(log.all(), [2]);
        system.shutdown().await;
    });
}

#[test]
fn without_a_restart_a_retry_has_no_effect() {
    on_every_runtime(|| async {
        let system = System::new();
        let tries = Arc::new(AtomicU32::new(0));
        let mill = Mill { tries: Arc::clone(&tries), ..Mill::default() };
        let mill = system.register_module(mill).await.unwrap();
        assert!(matches!(mill.grind(1, 1).await, Err(AskError::Panicked { .. })));
        assert!(matches!(mill.stopped().await.failure, Some(Failure::Panic { .. })));
        assert_eq!(tries.load(Ordering::SeqCst), 1);
        system.shutdown().await;
        // A restart that does not come about, since the module has failed too often.
        let system = System::new();
        let once =
            Restart::on_failure().max_restarts(1, 60 * SECOND).backoff(Backoff::new(Duration::ZERO, Duration::ZERO));
        let (mill, ..) = self::mill(&system, once).await;
        assert!(matches!(mill.grind(1, u32::MAX).await, Err(AskError::Panicked { .. })));
        system.shutdown().await;
    });
}

#[test]
fn a_message_whose_handler_was_killed_is_not_handled_again() {
    on_every_runtime(|| async {
        let system = System::new();
        let (mill, log, tries) = mill(&system, AT_ONCE).await;
        let asked = tokio::spawn({
            let mill = mill.clone();
            async move { mill.ask(Hang).no_timeout().await }
        });
        eventually("it hangs", || tries.load(Ordering::SeqCst) == 1).await;
        mill.kill().await;
        assert!(matches!(asked.await.unwrap(), Err(AskError::CutOff { .. })));
        mill.note(1).await.unwrap();
        assert_eq!((log.all(), tries.load(Ordering::SeqCst)), (vec![1], 1));
        system.shutdown().await;
    });
}

#[test]
fn a_stop_while_the_module_waits_to_begin_again_leaves_the_message_undelivered() {
    on_paused(|| async {
        let system = System::new();
        let (mill, ..) = mill(&system, AFTER_A_SECOND).await;
        let asked = tokio::spawn({
            let mill = mill.clone();
            async move { mill.grind(1, u32::MAX).await }
        });
        eventually("it waits", || mill.incarnation() == 2).await;
        assert_eq!(mill.depth(), 1);
        assert_eq!(mill.stop().await.unwrap().undelivered, 1);
        assert!(matches!(asked.await.unwrap(), Err(AskError::Stopped { .. })));
        system.shutdown().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(48, 1_000)))]

    #[test]
    fn messages_of_a_sender_stay_in_order_however_often_they_fail(fails in prop::collection::vec(0_u32..6, 1..40), two in any::<bool>()) {
        let flavor = if two { Flavor::MultiThread } else { Flavor::CurrentThread };
        flavor.run(|| async {
            let system = System::new();
            let (mill, log, tries) = mill(&system, AT_ONCE).await;
            // Of those that fail four times and more, all tries are used up, and the next one begins with the rest of its own.
            let mut expected = Vec::new();
            let mut done = 0;
            for (number, fails) in (0..).zip(fails.iter().copied()) {
                mill.send(Grind { number, fails }).await.unwrap();
                if fails.saturating_sub(done) <= 3 {
                    expected.push(number);
                    done = 0;
                } else {
                    done += 4;
                }
            }
            mill.ask(Note { number: 1_000 }).no_timeout().await.unwrap();
            expected.push(1_000);
            assert_eq!(log.all(), expected);
            assert_eq!(tries.load(Ordering::SeqCst), done);
            assert_eq!(system.shutdown().await.undelivered, 0);
        });
    }
}
