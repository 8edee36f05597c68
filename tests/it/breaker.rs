//! What keeps calls away from what keeps failing.

use std::collections::HashMap;
use std::future::{Future, pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dms::recovery::{BreakerError, BreakerMetrics, CircuitBreaker, CircuitState};
use dms_tests::{Flavor, cases, on_every_runtime, on_paused};
use futures::future::join_all;
use futures::{FutureExt, poll};
use proptest::prelude::*;
use tokio::sync::oneshot;
use tokio::time::{Instant, advance, sleep};

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);

type Error = BreakerError<&'static str>;

async fn succeed(breaker: &CircuitBreaker) -> Result<(), Error> {
    breaker.call(|| ready(Ok(()))).await
}

async fn fail(breaker: &CircuitBreaker) -> Result<(), Error> {
    breaker.call(|| ready(Err("down"))).await
}

/// A call that hangs, begun.
fn hang(breaker: &CircuitBreaker) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
    let mut call = breaker.call(pending).boxed();
    assert!((&mut call).now_or_never().is_none());
    call
}

/// One that has just opened.
async fn opened() -> CircuitBreaker {
    let breaker = CircuitBreaker::new("stock");
    for _ in 0..5 {
        assert_eq!(fail(&breaker).await, Err(BreakerError::Inner("down")));
    }
    breaker
}

#[test]
fn five_failures_in_a_row_open_it_and_a_success_between_begins_the_row_anew() {
    on_paused(|| async {
        let breaker = CircuitBreaker::new("stock");
        for _ in 0..3 {
            for _ in 0..4 {
                fail(&breaker).await.unwrap_err();
            }
            succeed(&breaker).await.unwrap();
        }
        for _ in 0..5 {
            assert_eq!(breaker.state(), CircuitState::Closed);
            assert_eq!(fail(&breaker).await, Err(BreakerError::Inner("down")));
        }
        assert_eq!(breaker.state(), CircuitState::Open { until: Instant::now() + 30 * S });
    });
}

#[test]
fn a_rejected_call_is_not_made() {
    on_paused(|| async {
        let breaker = opened().await;
        let rejected = breaker.call(|| -> std::future::Ready<Result<(), ()>> { panic!("it is called") }).await;
        let until = Instant::now() + 30 * S;
        assert_eq!(rejected, Err(BreakerError::Open { breaker: "stock".into(), until, retry_after: 30 * S }));
        assert!(rejected.unwrap_err().is_rejected());
    });
}

#[test]
fn at_29_999_s_a_call_is_rejected_and_at_30_s_one_goes_through() {
    on_paused(|| async {
        let breaker = opened().await;
        advance(29_999 * MS).await;
        assert!(matches!(succeed(&breaker).await, Err(BreakerError::Open { retry_after: MS, .. })));
        assert!(matches!(breaker.state(), CircuitState::Open { .. }));
        advance(MS).await;
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
        assert_eq!(succeed(&breaker).await, Ok(()));
    });
}

#[test]
fn three_probes_may_be_under_way_at_once_and_a_fourth_may_not() {
    on_paused(|| async {
        let breaker = opened().await;
        advance(30 * S).await;
        let probes = [hang(&breaker), hang(&breaker), hang(&breaker)];
        assert_eq!(succeed(&breaker).await, Err(BreakerError::Probing { breaker: "stock".into() }));
        drop(probes);
    });
}

#[test]
fn two_probes_that_succeed_close_it() {
    on_paused(|| async {
        let breaker = opened().await;
        advance(30 * S).await;
        succeed(&breaker).await.unwrap();
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
        succeed(&breaker).await.unwrap();
        assert_eq!(breaker.state(), CircuitState::Closed);
        for _ in 0..4 {
            fail(&breaker).await.unwrap_err();
        }
        assert_eq!(breaker.state(), CircuitState::Closed, "the row of failures began anew");
    });
}

#[test]
fn a_probe_that_fails_opens_it_for_as_long_again() {
    on_paused(|| async {
        let breaker = opened().await;
        advance(30 * S).await;
        succeed(&breaker).await.unwrap();
        assert_eq!(fail(&breaker).await, Err(BreakerError::Inner("down")));
        advance(29_999 * MS).await;
        assert!(succeed(&breaker).await.unwrap_err().is_rejected());
        advance(MS).await;
        succeed(&breaker).await.unwrap();
        assert_eq!(breaker.state(), CircuitState::HalfOpen, "the success before the failure is forgotten");
    });
}

#[test]
fn a_probe_that_is_cancelled_frees_its_place() {
    on_paused(|| async {
        let breaker = opened().await;
        advance(30 * S).await;
        for _ in 0..100 {
            drop([hang(&breaker), hang(&breaker), hang(&breaker)]);
        }
        succeed(&breaker).await.unwrap();
        succeed(&breaker).await.unwrap();
        assert_eq!(breaker.state(), CircuitState::Closed);
        assert_eq!(breaker.metrics().cancelled, 300);
    });
}

#[test]
fn probes_that_never_end_do_not_keep_it_half_open() {
    on_paused(|| async {
        let breaker = opened().await;
        advance(30 * S).await;
        let probes = [hang(&breaker), hang(&breaker), hang(&breaker)];
        advance(30 * S).await;
        assert!(
            matches!(succeed(&breaker).await, Err(BreakerError::Open { retry_after, .. }) if retry_after == 30 * S)
        );
        advance(30 * S).await;
        succeed(&breaker).await.unwrap();
        // Their end says nothing about the state that it is in by now, and frees no place in it.
        drop(probes);
        let probes = [hang(&breaker), hang(&breaker), hang(&breaker)];
        assert!(matches!(succeed(&breaker).await, Err(BreakerError::Probing { .. })));
        drop(probes);
    });
}

#[test]
fn a_call_that_nobody_polls_takes_no_place() {
    on_paused(|| async {
        let breaker = opened().await;
        advance(30 * S).await;
        let unpolled: Vec<_> = (0..10).map(|_| succeed(&breaker)).collect();
        succeed(&breaker).await.unwrap();
        drop(unpolled);
        assert_eq!(breaker.metrics().calls, 6);
    });
}

#[test]
fn a_call_counts_for_the_state_that_let_it_through() {
    on_paused(|| async {
        let breaker = CircuitBreaker::new("stock");
        let (failed, fails) = oneshot::channel::<()>();
        let mut old = Box::pin(breaker.call(|| async { fails.await.map_err(|_| "down") }));
        assert!(poll!(old.as_mut()).is_pending());
        for _ in 0..5 {
            fail(&breaker).await.unwrap_err();
        }
        advance(30 * S).await;
        succeed(&breaker).await.unwrap();
        drop(failed);
        assert_eq!(old.await, Err(BreakerError::Inner("down")));
        assert_eq!(breaker.state(), CircuitState::HalfOpen, "it is no probe");
        succeed(&breaker).await.unwrap();
        assert_eq!(breaker.state(), CircuitState::Closed);
    });
}

#[test]
fn a_panic_counts_as_a_failure_and_goes_on() {
    on_paused(|| async {
        let breaker = CircuitBreaker::builder("stock").failures(3).build();
        let later = || async {
            sleep(MS).await;
            panic!("in the call") as Result<(), ()>
        };
        let panicked = AssertUnwindSafe(breaker.call(later)).catch_unwind().await.unwrap_err();
        assert_eq!(panicked.downcast_ref(), Some(&"in the call"));
        let at_once = || -> std::future::Ready<Result<(), ()>> { panic!("before it") };
        assert!(AssertUnwindSafe(breaker.call(at_once)).catch_unwind().await.is_err());
        let judged = breaker.call_counting(|| ready(Err::<(), _>(())), |()| panic!("while it is judged"));
        assert!(AssertUnwindSafe(judged).catch_unwind().await.is_err());
        assert!(matches!(breaker.state(), CircuitState::Open { .. }));
        assert_eq!(breaker.metrics().failures, 3);
    });
}

#[test]
fn a_call_that_is_dropped_because_something_else_panics_is_no_failure() {
    on_paused(|| async {
        let breaker = CircuitBreaker::builder("stock").failures(1).build();
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let _call = hang(&breaker);
            panic!("something else");
        }));
        assert!(unwound.is_err());
        assert_eq!((breaker.state(), breaker.metrics().cancelled), (CircuitState::Closed, 1));
    });
}

#[test]
fn an_error_that_does_not_count_is_as_good_as_a_success() {
    on_paused(|| async {
        let breaker = CircuitBreaker::new("catalog");
        let missing = || breaker.call_counting(|| ready(Err::<(), _>("not found")), |error| *error != "not found");
        for _ in 0..100 {
            fail(&breaker).await.unwrap_err();
            assert_eq!(missing().await, Err(BreakerError::Inner("not found")));
        }
        assert_eq!(breaker.state(), CircuitState::Closed);
        for _ in 0..5 {
            fail(&breaker).await.unwrap_err();
        }
        advance(30 * S).await;
        missing().await.unwrap_err();
        missing().await.unwrap_err();
        assert_eq!(breaker.state(), CircuitState::Closed);
    });
}

#[test]
fn clones_share_one_circuit() {
    on_paused(|| async {
        let breaker = opened().await;
        let clone = breaker.clone();
        assert!(succeed(&clone).await.unwrap_err().is_rejected());
        assert_eq!(clone.metrics(), breaker.metrics());
    });
}

#[test]
fn its_settings_are_those_of_its_builder_and_none_of_them_is_zero() {
    on_paused(|| async {
        let builder = CircuitBreaker::builder("stock").failures(0).probes(0).successes(0);
        let breaker = builder.open_for(S).build();
        fail(&breaker).await.unwrap_err();
        assert_eq!(breaker.state(), CircuitState::Open { until: Instant::now() + S });
        advance(S).await;
        let probe = hang(&breaker);
        assert!(matches!(succeed(&breaker).await, Err(BreakerError::Probing { .. })));
        drop(probe);
        succeed(&breaker).await.unwrap();
        assert_eq!(breaker.state(), CircuitState::Closed);

        let forever = CircuitBreaker::builder("stock").failures(1).open_for(Duration::MAX).build();
        fail(&forever).await.unwrap_err();
        advance(100_000 * S).await;
        assert!(matches!(forever.state(), CircuitState::Open { .. }));
        assert!(succeed(&forever).await.unwrap_err().is_rejected());
    });
}

#[test]
fn it_counts_what_it_did() {
    on_paused(|| async {
        let breaker = opened().await;
        succeed(&breaker).await.unwrap_err();
        succeed(&breaker).await.unwrap_err();
        advance(30 * S).await;
        let hangs = hang(&breaker);
        succeed(&breaker).await.unwrap();
        succeed(&breaker).await.unwrap();
        let expected =
            BreakerMetrics { calls: 8, successes: 2, failures: 5, cancelled: 0, rejected: 2, state_changes: 3 };
        assert_eq!(breaker.metrics(), expected);
        drop(hangs);
        assert_eq!(breaker.metrics(), BreakerMetrics { cancelled: 1, ..expected });
    });
}

#[test]
fn its_errors_say_what_to_do() {
    let open = Error::Open { breaker: "stock".into(), until: Instant::now(), retry_after: 29 * S };
    assert_eq!(
        open.to_string(),
        "the circuit breaker `stock` is open after repeated failures, the call was not made: call again after 29s"
    );
    let io = BreakerError::Inner(std::io::Error::other("no route"));
    assert_eq!(io.to_string(), "no route");
    assert_eq!(io.into_inner().unwrap().to_string(), "no route");
}

#[test]
fn nothing_is_lost_when_many_call_at_once_on_every_runtime() {
    on_every_runtime(|| async {
        let breaker = CircuitBreaker::builder("stock").failures(3).open_for(MS).build();
        let made = std::sync::Arc::new(AtomicU32::new(0));
        let tasks = (0..8_u32).map(|task| {
            let (breaker, made) = (breaker.clone(), made.clone());
            tokio::spawn(async move {
                for call in 0..500_u32 {
                    let answer = breaker.call(|| {
                        made.fetch_add(1, Ordering::Relaxed);
                        async move {
                            tokio::task::yield_now().await;
                            if (call * 7 + task) % 5 < 3 { Err("down") } else { Ok(()) }
                        }
                    });
                    if (call + task) % 11 == 0 {
                        drop(answer.boxed().now_or_never());
                    } else if answer.await.is_err_and(|error| error.is_rejected()) {
                        sleep(MS).await;
                    }
                }
            })
        });
        join_all(tasks).await.into_iter().for_each(Result::unwrap);
        let metrics = breaker.metrics();
        assert_eq!(metrics.calls, u64::from(made.load(Ordering::Relaxed)));
        assert_eq!(metrics.calls, metrics.successes + metrics.failures + metrics.cancelled);
        assert_eq!(metrics.calls + metrics.rejected, 8 * 500);
        assert!(metrics.state_changes > 2, "{metrics:?}");
        // No place is lost, however it went: it closes again.
        sleep(2 * MS).await;
        for _ in 0..2 {
            breaker.call(|| ready(Ok::<_, ()>(()))).await.unwrap();
        }
        assert_eq!(breaker.state(), CircuitState::Closed);
    });
}

// ---- against a model ----

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Begins a call.
    Begin,
    /// Ends the n-th of those under way, with the outcome.
    End(usize, Ending),
    Wait(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Succeeds,
    Fails,
    Panics,
    IsDropped,
}

/// What becomes of a call that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    LetThrough,
    Open(u64),
    Probing,
}

/// The contract, with times in milliseconds. The state is what the notes since the last change say.
struct Model {
    failures: usize,
    open_for: u64,
    probes: usize,
    successes: usize,
    now: u64,
    phase: &'static str,
    /// When the phase began.
    since: u64,
    /// How calls of this phase ended, in order.
    ended: Vec<Ending>,
    /// When calls of this phase began that are under way.
    under_way: HashMap<usize, u64>,
    last_begun: u64,
}

impl Model {
    fn enter(&mut self, phase: &'static str) {
        (self.phase, self.since) = (phase, self.now);
        self.ended.clear();
        self.under_way.clear();
    }

    fn begin(&mut self, call: usize) -> Told {
        if self.phase == "open" {
            if self.now < self.since + self.open_for {
                return Told::Open(self.since + self.open_for - self.now);
            }
            self.enter("half-open");
        }
        if self.phase == "half-open" && self.under_way.len() == self.probes {
            if self.now >= self.last_begun + self.open_for {
                self.enter("open");
                return Told::Open(self.open_for);
            }
            return Told::Probing;
        }
        self.under_way.insert(call, self.now);
        self.last_begun = self.now;
        Told::LetThrough
    }

    fn end(&mut self, call: usize, ending: Ending) {
        if self.under_way.remove(&call).is_none() || ending == Ending::IsDropped {
            return;
        }
        self.ended.push(if ending == Ending::Panics { Ending::Fails } else { ending });
        let in_row = self.ended.iter().rev().take_while(|ending| **ending == Ending::Fails).count();
        let succeeded = self.ended.iter().filter(|ending| **ending == Ending::Succeeds).count();
        match self.phase {
            "closed" if in_row >= self.failures => self.enter("open"),
            "half-open" if in_row > 0 => self.enter("open"),
            "half-open" if succeeded >= self.successes => self.enter("closed"),
            _ => {}
        }
    }

    fn phase(&self) -> &'static str {
        if self.phase == "open" && self.now >= self.since + self.open_for { "half-open" } else { self.phase }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let ending = prop_oneof![
        4 => Just(Ending::Fails),
        3 => Just(Ending::Succeeds),
        1 => Just(Ending::Panics),
        2 => Just(Ending::IsDropped)
    ];
    prop_oneof![
        5 => Just(Step::Begin),
        4 => (0..6_usize, ending).prop_map(|(nth, ending)| Step::End(nth, ending)),
        2 => (0..25_u64).prop_map(Step::Wait),
    ]
}

async fn agrees(steps: Vec<Step>, mut model: Model) {
    let at_most = |number: usize| u32::try_from(number).expect("a small number");
    let breaker = CircuitBreaker::builder("model")
        .failures(at_most(model.failures))
        .open_for(Duration::from_millis(model.open_for))
        .probes(at_most(model.probes))
        .successes(at_most(model.successes))
        .build();
    let mut calls = Vec::new();
    let mut let_through = 0;
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Begin => {
                let (end, ended) = oneshot::channel();
                let mut call = Box::pin(breaker.call(|| async {
                    match ended.await {
                        Ok(Ending::Succeeds) => Ok(()),
                        Ok(Ending::Panics) => panic!("as it was told"),
                        _ => Err("down"),
                    }
                }));
                let told = match poll!(call.as_mut()) {
                    std::task::Poll::Pending => Told::LetThrough,
                    std::task::Poll::Ready(Err(BreakerError::Open { retry_after, .. })) => {
                        Told::Open(u64::try_from(retry_after.as_millis()).expect("a short time"))
                    }
                    std::task::Poll::Ready(Err(BreakerError::Probing { .. })) => Told::Probing,
                    std::task::Poll::Ready(other) => panic!("{other:?}"),
                };
                assert_eq!(told, model.begin(number), "step {number}");
                if told == Told::LetThrough {
                    let_through += 1;
                    calls.push((number, end, call));
                }
            }
            Step::End(nth, ending) if !calls.is_empty() => {
                let (call, end, future) = calls.remove(nth % calls.len());
                model.end(call, ending);
                if ending == Ending::IsDropped {
                    drop(future);
                } else {
                    end.send(ending).expect("it is under way");
                    let panicked = AssertUnwindSafe(future).catch_unwind().await.is_err();
                    assert_eq!(panicked, ending == Ending::Panics);
                }
            }
            Step::End(..) => {}
            Step::Wait(milliseconds) => {
                model.now += milliseconds;
                advance(Duration::from_millis(milliseconds)).await;
            }
        }
        let phase = match breaker.state() {
            CircuitState::Closed => "closed",
            CircuitState::Open { .. } => "open",
            CircuitState::HalfOpen => "half-open",
        };
        assert_eq!(phase, model.phase(), "after step {number}");
        assert_eq!(breaker.metrics().calls, let_through);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(256, 5_000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_lets_through_what_the_contract_says(
        steps in prop::collection::vec(step(), 1..120),
        (failures, open_for, probes, successes) in (1..4_usize, 0..40_u64, 1..4_usize, 1..4_usize),
    ) {
        let model = Model {
            failures,
            open_for,
            probes,
            successes,
            now: 0,
            phase: "closed",
            since: 0,
            ended: Vec::new(),
            under_way: HashMap::new(),
            last_begun: 0,
        };
        Flavor::Paused.run(|| agrees(steps, model));
    }
}
