//! Calls that are made again.

use std::future::{pending, ready};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dms::recovery::{Backoff, BreakerError, CircuitBreaker, Jitter, Retry, RetryBudget, RetryError};
use dms_tests::{Drops, Flavor, on_every_runtime, on_paused};
use futures::FutureExt;
use futures::future::join_all;
use tokio::time::{Instant, sleep, timeout};

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);

/// 100 ms, 200 ms, 400 ms, …
const STEPS: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(30)).jitter(Jitter::None);

/// Fails `failures` times, with the number of the time; then gives how often it was called.
fn flaky(failures: u32) -> impl FnMut() -> std::future::Ready<Result<u32, u32>> {
    let mut calls = 0;
    move || {
        calls += 1;
        ready(if calls > failures { Ok(calls) } else { Err(calls) })
    }
}

#[test]
fn a_call_is_made_until_it_succeeds_with_a_delay_before_each_further_time() {
    on_paused(|| async {
        let begin = Instant::now();
        assert_eq!(Retry::new().attempts(5).backoff(STEPS).call(flaky(0)).await, Ok(1));
        assert_eq!(begin.elapsed(), Duration::ZERO);
        assert_eq!(Retry::new().attempts(5).backoff(STEPS).call(flaky(3)).await, Ok(4));
        assert_eq!(begin.elapsed(), 700 * MS);
    });
}

#[test]
fn a_call_is_made_as_often_as_it_may_be_and_no_oftener() {
    on_paused(|| async {
        for attempts in 1..5 {
            let failed = Retry::new().attempts(attempts).backoff(STEPS).call(flaky(u32::MAX)).await;
            assert_eq!(failed, Err(RetryError::Exhausted { attempts, last: attempts }));
        }
        assert_eq!(Retry::new().attempts(0).call(flaky(1)).await.unwrap_err().attempts(), 1);
    });
}

#[test]
fn what_is_not_transient_is_not_made_again() {
    on_paused(|| async {
        let failed = Retry::new().attempts(9).call_while(flaky(u32::MAX), |call| *call < 3).await;
        assert_eq!(failed, Err(RetryError::Permanent { attempts: 3, last: 3 }));
        assert_eq!(failed.unwrap_err().into_last(), Some(3));
    });
}

#[test]
fn a_deadline_cuts_off_the_call_that_is_under_way() {
    on_paused(|| async {
        let begin = Instant::now();
        let drops = Drops::new();
        let hangs = || {
            let token = drops.token();
            async move {
                let _token = token;
                pending::<Result<(), u32>>().await
            }
        };
        let failed = Retry::new().deadline(2 * S).call(hangs).await;
        assert_eq!(failed, Err(RetryError::Deadline { attempts: 1, within: 2 * S, last: None }));
        assert_eq!((begin.elapsed(), drops.count()), (2 * S, 1));

        let mut call = flaky(1);
        let hangs_later = || {
            let answer = call();
            async move { if answer.await.is_err() { Err(1) } else { pending().await } }
        };
        let failed: Result<(), _> = Retry::new().backoff(STEPS).deadline(2 * S).call(hangs_later).await;
        assert_eq!(failed, Err(RetryError::Deadline { attempts: 2, within: 2 * S, last: Some(1) }));
    });
}

#[test]
fn a_time_that_could_only_begin_after_the_deadline_is_not_waited_for() {
    on_paused(|| async {
        let begin = Instant::now();
        // The third time would begin at 300 ms.
        let failed = Retry::new().attempts(9).backoff(STEPS).deadline(300 * MS).call(flaky(9)).await;
        assert_eq!(failed, Err(RetryError::Deadline { attempts: 2, within: 300 * MS, last: Some(2) }));
        assert_eq!(begin.elapsed(), 100 * MS);
        assert_eq!(Retry::new().attempts(9).backoff(STEPS).deadline(301 * MS).call(flaky(2)).await, Ok(3));
    });
}

#[test]
fn a_deadline_without_end_is_none() {
    on_paused(|| async {
        assert_eq!(Retry::new().deadline(Duration::MAX).call(flaky(2)).await, Ok(3));
    });
}

#[test]
fn a_budget_limits_the_retries_of_all_who_share_it() {
    on_paused(|| async {
        let budget = RetryBudget::new(0, 1);
        let retry = Retry::new().attempts(4).backoff(Backoff::new(Duration::ZERO, S)).budget(budget.clone());
        let other = retry.clone();
        assert_eq!(budget.available(), 10);
        for _ in 0..3 {
            assert!(matches!(retry.call(flaky(9)).await, Err(RetryError::Exhausted { attempts: 4, .. })));
        }
        assert!(matches!(other.call(flaky(9)).await, Err(RetryError::OverBudget { attempts: 2, last: 2 })));
        assert!(matches!(other.call(flaky(9)).await, Err(RetryError::OverBudget { attempts: 1, last: 1 })));
        assert_eq!(other.call(flaky(0)).await, Ok(1), "a call that succeeds needs no token");
        sleep(S).await;
        assert_eq!(budget.available(), 1);
        sleep(60 * S).await;
        assert_eq!(budget.available(), 10, "it holds what ten seconds bring");
    });
}

#[test]
fn calls_earn_retries() {
    on_paused(|| async {
        let budget = RetryBudget::new(20, 0);
        let retry = Retry::new().attempts(2).backoff(Backoff::new(Duration::ZERO, S)).budget(budget.clone());
        for _ in 0..9 {
            retry.call(flaky(0)).await.unwrap();
        }
        assert_eq!(budget.available(), 1);
        assert_eq!(retry.call(flaky(1)).await, Ok(2));
        assert_eq!(retry.call(flaky(1)).await, Ok(2), "the tenth and the eleventh call earned it together");
        assert!(matches!(retry.call(flaky(1)).await, Err(RetryError::OverBudget { .. })));
        for _ in 0..1_000 {
            retry.call(flaky(0)).await.unwrap();
        }
        assert_eq!(budget.available(), 10, "it does not save up without end");
    });
}

#[test]
fn what_fails_for_all_is_hardly_called_oftener_than_without_retries() {
    on_paused(|| async {
        let retry = Retry::new().attempts(10).backoff(STEPS).budget(RetryBudget::default());
        let calls = AtomicU32::new(0);
        let storm = (0..1_000).map(|_| {
            retry.call(|| {
                calls.fetch_add(1, Ordering::Relaxed);
                ready(Err::<(), _>("down"))
            })
        });
        let begin = Instant::now();
        let failed = join_all(storm).await;
        assert!(failed.iter().all(Result::is_err));
        // 1,000 calls; 100 retries at the beginning, what 10 a second bring, and up to 100 that the calls earned.
        let most = 1_000 + 200 + 10 * u32::try_from(begin.elapsed().as_secs() + 1).unwrap();
        let calls = calls.into_inner();
        assert!((1_100..=most).contains(&calls), "{calls} of at most {most}");
    });
}

#[test]
fn the_same_seed_gives_the_same_delays_and_none_gives_others() {
    fn took(retry: &Retry) -> Duration {
        Flavor::Paused.run(|| async {
            let begin = Instant::now();
            retry.call(flaky(5)).await.unwrap();
            begin.elapsed()
        })
    }
    let retry = Retry::new().attempts(9).backoff(Backoff::new(S, 60 * S));
    let seeded = retry.clone().seed(7);
    assert_eq!(took(&seeded), took(&seeded));
    assert_ne!(took(&seeded), took(&retry.clone().seed(8)));
    assert_ne!(took(&retry), took(&retry));
}

#[test]
fn dropping_it_drops_the_call_and_makes_no_further_one() {
    on_paused(|| async {
        let drops = Drops::new();
        let calls = AtomicU32::new(0);
        let slow = || {
            calls.fetch_add(1, Ordering::Relaxed);
            let token = drops.token();
            async move {
                let _token = token;
                sleep(S).await;
                Err::<(), ()>(())
            }
        };
        let retry = Retry::new().attempts(9).backoff(STEPS);
        assert!(timeout(500 * MS, retry.call(slow)).await.is_err());
        assert_eq!((calls.load(Ordering::Relaxed), drops.count()), (1, 1));
        // Dropped while it waits for the next time.
        assert!(timeout(1_050 * MS, retry.call(slow)).await.is_err());
        sleep(60 * S).await;
        assert_eq!((calls.load(Ordering::Relaxed), drops.count()), (2, 2));
    });
}

#[test]
fn a_panic_is_not_retried() {
    on_paused(|| async {
        let calls = AtomicU32::new(0);
        let panics = || {
            calls.fetch_add(1, Ordering::Relaxed);
            async { panic!("boom") as Result<(), ()> }
        };
        let retry = Retry::new();
        assert!(AssertUnwindSafe(retry.call(panics)).catch_unwind().await.is_err());
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn retries_through_a_breaker_end_where_it_opens() {
    on_paused(|| async {
        let breaker = CircuitBreaker::new("stock");
        let retry = Retry::new().attempts(100).backoff(STEPS);
        let calls = Arc::new(AtomicU32::new(0));
        let failed = retry
            .call_while(
                || {
                    let calls = Arc::clone(&calls);
                    breaker.call(move || {
                        calls.fetch_add(1, Ordering::Relaxed);
                        ready(Err::<(), _>("down"))
                    })
                },
                |error| !error.is_rejected(),
            )
            .await;
        assert!(matches!(failed, Err(RetryError::Permanent { attempts: 6, last: BreakerError::Open { .. } })));
        assert_eq!(calls.load(Ordering::Relaxed), 5);
    });
}

#[test]
fn retries_work_on_every_runtime_and_from_other_threads() {
    on_every_runtime(|| async {
        let retry =
            Retry::new().attempts(4).backoff(Backoff::new(MS, 5 * MS)).deadline(20 * S).budget(RetryBudget::default());
        let calls = (0..20).map(|_| {
            let retry = retry.clone();
            tokio::spawn(async move { retry.call(flaky(2)).await })
        });
        assert!(join_all(calls).await.into_iter().all(|call| call.unwrap() == Ok(3)));
    });
}

#[test]
fn its_errors_say_what_happened_and_have_the_last_one_as_their_cause() {
    fn cause(error: &dyn std::error::Error) -> Option<String> {
        error.source().map(ToString::to_string)
    }
    let last = || std::io::Error::other("no route");
    let exhausted = RetryError::Exhausted { attempts: 3, last: last() };
    assert_eq!(exhausted.to_string(), "the call failed 3 times, as often as it may be made");
    assert_eq!(cause(&exhausted).as_deref(), Some("no route"));
    let deadline = RetryError::Deadline { attempts: 2, within: 2 * S, last: Some(last()) };
    assert_eq!(deadline.to_string(), "the call did not succeed within 2s, at attempt 2");
    assert_eq!(cause(&deadline).as_deref(), Some("no route"));
}
