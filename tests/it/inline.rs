//! `#[handler(inline)]`: the asker runs the handler itself, and every promise holds as if it had not.

use std::future::{IntoFuture, poll_fn};
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use dms::prelude::*;
use dms::{Failure, ModuleState};
use dms_tests::{
    Drops, Flavor, Log, Puppet, Token, cases, events_of, eventually, hold, on_every_runtime, on_paused, settle,
};
use tokio::task;

/// Counts, and does in its handlers what it is told.
#[module]
#[derive(Default)]
struct Till {
    count: u64,
    is_in_handler: bool,
    log: Log<u64>,
    stops: Log<&'static str>,
    _token: Option<Token>,
}

/// To be done in an inline handler.
type Act = Box<dyn FnOnce(&mut Till, &mut Context<Till>) -> u64 + Send>;

pub(crate) struct Do(Act);

#[module(visibility = "pub(crate)")]
impl Till {
    /// Not atomic: two handlers at a time would lose one of the two.
    #[handler(Add, inline)]
    fn add(&mut self, by: u64) -> u64 {
        self.add_alone(by)
    }

    #[handler(AddQueued)]
    async fn add_queued(&mut self, by: u64) -> u64 {
        let before = self.count;
        task::yield_now().await;
        self.count = before + by;
        self.count
    }

    #[handler(Note, inline)]
    fn note(&mut self, number: u64) -> u64 {
        self.log.push(number);
        number
    }

    #[handler(NoteQueued)]
    fn note_queued(&mut self, number: u64) -> u64 {
        self.log.push(number);
        number
    }

    #[handler(inline)]
    fn act(&mut self, Do(act): Do, ctx: &mut Context<Self>) -> u64 {
        act(self, ctx)
    }

    #[handler(Where, inline)]
    fn place(&self) -> Option<task::Id> {
        task::try_id()
    }

    #[handler(WhereQueued)]
    fn place_queued(&self) -> Option<task::Id> {
        task::try_id()
    }

    /// Waits until it is let go.
    #[handler(Wait)]
    async fn wait(&mut self, until: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) {
        until.await;
    }

    #[handler(Boom, inline, boxed)]
    fn boom(&mut self, text: &'static str) -> u64 {
        std::panic::resume_unwind(Box::new(text));
    }

    #[stop]
    fn stop(&mut self) {
        self.stops.push("stop");
    }
}

impl Till {
    fn add_alone(&mut self, by: u64) -> u64 {
        assert!(!self.is_in_handler, "one handler at a time");
        self.is_in_handler = true;
        let before = std::hint::black_box(self.count);
        std::hint::spin_loop();
        self.count = before + by;
        self.is_in_handler = false;
        self.count
    }
}

fn act(act: impl FnOnce(&mut Till, &mut Context<Till>) -> u64 + Send + 'static) -> Do {
    Do(Box::new(act))
}

/// Asks once, and gives up where the answer is not there at once.
fn ask_at_once<F: IntoFuture>(ask: F) -> Option<F::Output> {
    match pin!(ask.into_future()).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// A module that has nothing to do, once this returns.
async fn idle(system: &System, till: Till) -> ModuleRef<Till> {
    let till = system.register_module(till).await.unwrap();
    parked(&till).await;
    till
}

/// Waits until the module has nothing to do.
async fn parked(till: &ModuleRef<Till>) {
    // Rounds are quick, and the module's thread may be busy elsewhere for long.
    let patience = Instant::now() + Duration::from_mins(1);
    loop {
        settle().await;
        // Without a deadline, which would bring the system's timer task to life.
        if ask_at_once(till.ask(Where).no_timeout()).is_some() {
            settle().await;
            return;
        }
        assert!(Instant::now() < patience, "it is never idle");
    }
}

#[test]
fn m1_an_idle_module_is_asked_without_a_switch_of_tasks() {
    on_every_runtime(|| async {
        let system = System::new();
        let till = idle(&system, Till::default()).await;
        task::spawn(async move {
            assert_eq!(till.ask(Where).await.unwrap(), Some(task::id()));
            assert_ne!(till.ask(WhereQueued).await.unwrap(), Some(task::id()));
            assert_eq!(till.add(2).await, Ok(2));
            assert_eq!(till.add_queued(2).await, Ok(4));
            parked(&till).await;
            assert_eq!(till.ask(Where).await.unwrap(), Some(task::id()));
            assert_eq!(till.add(2).await, Ok(6));
        })
        .await
        .unwrap();
        system.shutdown().await;
    });
}

#[test]
fn m1_an_ask_waits_for_a_handler_that_waits() {
    on_every_runtime(|| async {
        let system = System::new();
        let till = idle(&system, Till::default()).await;
        let (until, mut held) = hold();
        till.send(Wait { until: Box::pin(until) }).await.unwrap();
        held.begun().await;
        assert!(ask_at_once(till.ask(Add { by: 1 })).is_none());
        let mut ask = pin!(till.ask(Add { by: 10 }).into_future());
        tokio::select! {
            biased;
            _ = &mut ask => panic!("a handler runs"),
            () = settle() => {}
        }
        held.release();
        // The one that was given up has not begun.
        assert_eq!(ask.await, Ok(10));
        system.shutdown().await;
    });
}

#[test]
fn m2_an_ask_comes_after_what_was_sent_before() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let till = idle(&system, Till { log: log.clone(), ..Till::default() }).await;
        for number in (0..1_000).step_by(4) {
            till.send(NoteQueued { number }).await.unwrap();
            till.send(Note { number: number + 1 }).await.unwrap();
            till.ask(Note { number: number + 2 }).await.unwrap();
            till.ask(Note { number: number + 3 }).await.unwrap();
        }
        assert_eq!(log.take(), (0..1_000).collect::<Vec<_>>());
        system.shutdown().await;
    });
}

#[test]
fn m1_m2_many_askers_lose_nothing_and_keep_their_order() {
    const ASKERS: u64 = 8;
    for bound in [None, Some(3)] {
        Flavor::MultiThread.run(|| async move {
            let times = u64::from(cases(2_000, 100_000));
            let system = System::new();
            let log = Log::new();
            let till = system.register_module(Till { log: log.clone(), ..Till::default() });
            let till = match bound {
                None => till.await.unwrap(),
                Some(bound) => till.mailbox(bound).await.unwrap(),
            };
            let askers: Vec<_> = (0..ASKERS)
                .map(|asker| {
                    let till = till.clone();
                    task::spawn(async move {
                        for number in 0..times {
                            match (asker + number) % 5 {
                                0 => drop(till.add(1).await.unwrap()),
                                1 => drop(till.add_queued(1).await.unwrap()),
                                2 => till.send(Add { by: 1 }).await.unwrap(),
                                3 => till.send(AddQueued { by: 1 }).await.unwrap(),
                                _ => drop(till.ask(act(|till, _| till.add_alone(1))).await.unwrap()),
                            }
                            let number = asker * times + number;
                            match number % 3 {
                                0 => till.send(NoteQueued { number }).await.unwrap(),
                                1 => drop(till.note_queued(number).await.unwrap()),
                                _ => drop(till.note(number).await.unwrap()),
                            }
                        }
                    })
                })
                .collect();
            for asker in askers {
                asker.await.unwrap();
            }
            assert_eq!(till.add(0).await, Ok(ASKERS * times));
            let log = log.take();
            for asker in 0..ASKERS {
                let own = log.iter().copied().filter(|number| number / times == asker);
                assert!(own.eq(asker * times..(asker + 1) * times), "asker {asker}");
            }
            assert_eq!(till.depth(), 0);
            let report = system.shutdown().await;
            assert_eq!((report.undelivered, report.complete), (0, true));
        });
    }
}

#[test]
fn m1_an_asker_that_never_waits_gives_its_thread_back() {
    Flavor::CurrentThread.run(|| async {
        let system = System::new();
        let till = idle(&system, Till::default()).await;
        let other = Log::new();
        let seen = other.clone();
        let beside = task::spawn(poll_fn(move |cx| {
            seen.push(());
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        }));
        task::spawn(async move {
            for _ in 0..10_000 {
                till.add(1).await.unwrap();
            }
        })
        .await
        .unwrap();
        assert!(other.len() > 10, "{}", other.len());
        beside.abort();
        system.shutdown().await;
    });
}

#[test]
fn m1_a_thread_of_ones_own_has_the_module_do_it() {
    Flavor::MultiThread.run(|| async {
        let system = System::new();
        let till = idle(&system, Till::default()).await;
        let asking = till.clone();
        let inside = till.clone();
        let (place, spawned) = task::spawn_blocking(move || {
            let outside = std::thread::spawn(move || {
                let place = asking.blocking_ask(Where).unwrap();
                // It has a runtime to spawn on.
                let spawned = asking.blocking_ask(act(|_, ctx| {
                    drop(ctx.spawn("idle", async {}));
                    1
                }));
                (place, spawned.unwrap())
            });
            outside.join().unwrap()
        })
        .await
        .unwrap();
        assert!(place.is_some() && spawned == 1);
        assert_eq!(inside.add(1).await, Ok(1));
        system.shutdown().await;
    });
}

#[test]
fn m4_a_handler_does_not_begin_for_an_asker_without_time() {
    on_paused(|| async {
        let system = System::new();
        let till = idle(&system, Till::default()).await;
        let late = ask_at_once(till.ask(Add { by: 1 }).timeout(Duration::ZERO));
        assert!(!matches!(late, Some(Ok(_))), "{late:?}");
        settle().await;
        assert_eq!(till.add(0).await, Ok(0));
        assert_eq!(till.ask(Add { by: 1 }).timeout(Duration::from_millis(1)).await, Ok(1));
        assert_eq!(till.ask(Add { by: 1 }).no_timeout().await, Ok(2));
        system.shutdown().await;
    });
}

#[test]
fn m5_an_inline_handler_that_asks_its_own_module_is_told() {
    on_every_runtime(|| async {
        let system = System::new();
        let till = idle(&system, Till::default()).await;
        let asked = till.ask(act(|_, ctx| {
            let itself = ctx.self_ref();
            let answer = ask_at_once(itself.ask(Add { by: 1 }).no_timeout());
            u64::from(matches!(answer, Some(Err(AskError::WouldDeadlock { .. }))))
        }));
        assert_eq!(asked.await, Ok(1));
        // Afterwards nobody is in a handler.
        assert_eq!(till.add(1).await, Ok(1));
        system.shutdown().await;
    });
}

/// Asks a till from its handler.
#[module]
struct Clerk {
    till: ModuleRef<Till>,
}

#[module]
impl Clerk {
    #[handler(Round)]
    async fn round(&mut self, ctx: &mut Context<Self>) -> [bool; 3] {
        parked(&self.till).await;
        let itself = ctx.self_ref();
        let back = itself.clone();
        let asked_back = self.till.ask(act(move |_, _| {
            let answer = ask_at_once(back.ask(Number).no_timeout());
            u64::from(matches!(answer, Some(Err(AskError::WouldDeadlock { .. }))))
        }));
        let asked_back = asked_back.await == Ok(1);
        // The clerk's own handler is the one that runs again.
        let own = matches!(itself.ask(Number).no_timeout().await, Err(AskError::WouldDeadlock { .. }));
        let again = self.till.add(1).await == Ok(1);
        [asked_back, own, again]
    }

    /// Asks a module that asks this one, and waits for it in the till's handler.
    #[handler(Detour)]
    async fn detour(&mut self, over: ModuleRef<Puppet>, ctx: &mut Context<Self>) -> Vec<String> {
        parked(&self.till).await;
        let back = ctx.self_ref();
        let seen = Log::new();
        let cycle = seen.clone();
        let asked = self.till.ask(act(move |_, _| {
            let asked = over.ask(dms_tests::act(async move { back.ask(Number).no_timeout().await }));
            let asked = async { asked.no_timeout().await };
            let answer = task::block_in_place(|| tokio::runtime::Handle::current().block_on(asked));
            // Whoever waits last of the three is told.
            match answer {
                Err(AskError::WouldDeadlock { cycle, .. }) | Ok(Err(AskError::WouldDeadlock { cycle, .. })) => {
                    seen.push(cycle.modules().to_vec());
                }
                other => panic!("no deadlock: {other:?}"),
            }
            1
        }));
        assert_eq!(asked.await, Ok(1));
        let mut cycle = cycle.take().concat();
        cycle.sort_unstable();
        cycle
    }

    #[handler(Number)]
    fn number(&self) -> u64 {
        7
    }
}

#[test]
fn m5_an_inline_handler_that_asks_its_asker_is_told() {
    on_every_runtime(|| async {
        let system = System::new();
        let till = idle(&system, Till::default()).await;
        let clerk = system.register_module(Clerk { till }).await.unwrap();
        assert_eq!(clerk.round().await, Ok([true; 3]));
        assert_eq!(clerk.number().await, Ok(7));
        system.shutdown().await;
    });
}

#[test]
fn m5_a_cycle_through_an_inline_handler_that_waits_is_named() {
    Flavor::MultiThread.run(|| async {
        let system = System::new();
        let till = system.register_module(Till::default()).name("till").await.unwrap();
        let over = system.register_module(Puppet::default()).name("over").await.unwrap();
        let clerk = system.register_module(Clerk { till }).name("clerk").await.unwrap();
        assert_eq!(clerk.detour(over).await.unwrap(), ["clerk", "over", "till"]);
        system.shutdown().await;
    });
}

/// Asks the last of them, which asks the last but one, and so on. Says how many did so at once.
fn descend(mut tills: Vec<ModuleRef<Till>>) -> u64 {
    let Some(next) = tills.pop() else { return 0 };
    ask_at_once(next.ask(act(move |_, _| descend(tills)))).map_or(0, |depth| 1 + depth.unwrap())
}

#[test]
fn handlers_inside_each_other_end_before_the_stack_does() {
    on_every_runtime(|| async {
        let system = System::new();
        let mut tills = Vec::new();
        for _ in 0..40 {
            tills.push(idle(&system, Till::default()).await);
        }
        let rest = tills.clone();
        assert_eq!(task::spawn(async move { descend(rest) }).await.unwrap(), 16);
        system.shutdown().await;
    });
}

#[test]
fn l3_a_panic_takes_down_the_module_and_is_reported_once() {
    let drops = Drops::new();
    let stops = Log::new();
    for flavor in Flavor::ALL {
        let ((), events) = events_of(|| {
            flavor.run(|| async {
                let system = System::new();
                let till = Till { _token: Some(drops.token()), stops: stops.clone(), ..Till::default() };
                let till = idle(&system, till).await;
                let before = drops.count();
                assert!(matches!(till.boom("spilt").await, Err(AskError::Panicked { .. })));
                assert!(till.send(Add { by: 1 }).await.is_err());
                assert!(matches!(till.add(1).await, Err(AskError::Stopped { .. })));
                let report = till.stopped().await;
                assert_eq!(drops.count(), before + 1);
                assert_eq!((report.state, report.undelivered), (ModuleState::Failed, 0));
                let Some(Failure::Panic { place, text }) = report.failure else { panic!("{:?}", report.failure) };
                assert_eq!((place.as_str(), text.as_str()), ("boom", "spilt"));
                system.shutdown().await;
            });
        });
        if flavor != Flavor::MultiThread {
            let failures = events.iter().filter(|event| event.text.contains("spilt"));
            assert_eq!(failures.count(), 1, "{events:?}");
        }
    }
    assert!(stops.is_empty());
}

#[test]
fn l3_what_is_queued_when_an_inline_handler_panics_is_undelivered() {
    on_every_runtime(|| async {
        let system = System::new();
        let till = idle(&system, Till::default()).await;
        let panicked = till.ask(act(|_, ctx| {
            for number in 0..3 {
                ctx.self_ref().try_send(Note { number }).unwrap();
            }
            std::panic::resume_unwind(Box::new("spilt"));
        }));
        assert!(matches!(panicked.await, Err(AskError::Panicked { .. })));
        assert_eq!(till.stopped().await.undelivered, 3);
        system.shutdown().await;
    });
}

#[test]
fn a_context_does_in_an_inline_handler_what_it_does_in_any() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let till = idle(&system, Till { log: log.clone(), ..Till::default() }).await;
        let asked = till.ask(act(|_, ctx| {
            ctx.self_ref().try_send(Note { number: 1 }).unwrap();
            ctx.spawn("later", async { 2 }).then(|number| Note { number }, ctx);
            ctx.id().to_string().len() as u64
        }));
        assert!(asked.await.unwrap() > 0);
        eventually("both notes", || log.len() == 2).await;
        assert_eq!(
            till.ask(act(|_, ctx| {
                ctx.stop().unwrap();
                3
            }))
            .await,
            Ok(3)
        );
        assert_eq!(till.stopped().await.state, ModuleState::Stopped);
        system.shutdown().await;
    });
}

/// Has a till's inline handler hold its thread. Gives what lets it go, and what it answers.
async fn held(till: &ModuleRef<Till>) -> (mpsc::Sender<()>, task::JoinHandle<Result<u64, AskError>>) {
    let (say, begun) = tokio::sync::oneshot::channel();
    let (release, end) = mpsc::channel::<()>();
    let asked = till.clone();
    let answer = task::spawn(async move {
        parked(&asked).await;
        asked
            .ask(act(move |_, _| {
                say.send(task::try_id()).unwrap();
                // Let go, or its other side has gone.
                let _ = end.recv();
                5
            }))
            .await
    });
    assert_eq!(begun.await.unwrap(), Some(answer.id()));
    (release, answer)
}

#[test]
fn l2_a_stop_waits_for_the_handler_that_an_asker_runs() {
    Flavor::MultiThread.run(|| async {
        let system = System::new();
        let drops = Drops::new();
        let stops = Log::new();
        let till = Till { _token: Some(drops.token()), stops: stops.clone(), ..Till::default() };
        let till = idle(&system, till).await;
        let (release, answer) = held(&till).await;
        let mut stop = pin!(till.stop());
        assert!(stop.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_pending());
        settle().await;
        assert_eq!((till.state(), drops.count(), stops.len()), (ModuleState::Stopping, 0, 0));
        assert!(matches!(till.add(1).await, Err(AskError::Stopped { .. })));
        release.send(()).unwrap();
        assert_eq!(stop.await.unwrap().state, ModuleState::Stopped);
        assert_eq!((drops.count(), stops.len()), (1, 1));
        assert_eq!(answer.await.unwrap(), Ok(5));
        system.shutdown().await;
    });
}

#[test]
fn l2_a_drain_handles_what_came_while_an_asker_ran_a_handler() {
    Flavor::MultiThread.run(|| async {
        let system = System::new();
        let log = Log::new();
        let till = idle(&system, Till { log: log.clone(), ..Till::default() }).await;
        let (release, answer) = held(&till).await;
        for number in 0..3 {
            till.send(Note { number }).await.unwrap();
        }
        assert_eq!(till.depth(), 3);
        let mut drain = pin!(till.drain());
        assert!(drain.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_pending());
        release.send(()).unwrap();
        assert_eq!(drain.await.unwrap().undelivered, 0);
        assert_eq!(log.take(), [0, 1, 2]);
        assert_eq!(answer.await.unwrap(), Ok(5));
        system.shutdown().await;
    });
}

#[test]
fn l2_a_module_that_is_cut_off_goes_with_the_handler_that_an_asker_runs() {
    Flavor::MultiThread.run(|| async {
        let system = System::new();
        let drops = Drops::new();
        let till = idle(&system, Till { _token: Some(drops.token()), ..Till::default() }).await;
        let (release, answer) = held(&till).await;
        let metrics = tokio::runtime::Handle::current().metrics();
        let mut shutdown = pin!(system.shutdown_within(Duration::ZERO));
        assert!(shutdown.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_pending());
        // Those of the asker and of the shutdown are left.
        eventually("the module's task is cut off", || metrics.num_alive_tasks() == 2).await;
        assert_eq!(drops.count(), 0);
        release.send(()).unwrap();
        let report = shutdown.await;
        assert_eq!((drops.count(), report.overran.len()), (1, 1));
        assert_eq!(report.modules[0].state, ModuleState::Failed);
        assert!(matches!(report.modules[0].failure, Some(Failure::Aborted)));
        assert_eq!(answer.await.unwrap(), Ok(5));
        assert!(matches!(till.add(1).await, Err(AskError::Stopped { .. })));
    });
}

#[test]
fn l2_l3_ends_that_race_with_askers_are_seen_by_all() {
    for round in 0..cases(150, 5_000) {
        Flavor::MultiThread.run(|| async {
            let system = System::new();
            let drops = Drops::new();
            let log = Log::new();
            let till = Till { _token: Some(drops.token()), log: log.clone(), ..Till::default() };
            let till = system.register_module(till).await.unwrap();
            let askers: Vec<_> = (0..4)
                .map(|asker| {
                    let till = till.clone();
                    task::spawn(async move {
                        let mut answered = 0_usize;
                        loop {
                            match till.note(asker).await {
                                Ok(_) => answered += 1,
                                Err(error) => return (answered, error),
                            }
                            if asker == 0 {
                                task::yield_now().await;
                            }
                        }
                    })
                })
                .collect();
            while log.len() < 100 {
                task::yield_now().await;
            }
            let kind = round % 4;
            match kind {
                0 => drop(till.stop().await.unwrap()),
                1 => drop(till.drain().await.unwrap()),
                2 => drop(system.shutdown().await),
                _ => {
                    assert!(matches!(till.boom("spilt").await, Err(AskError::Panicked { .. })));
                    till.stopped().await;
                }
            }
            assert_eq!(drops.count(), 1);
            let handled = log.len();
            let mut answered = 0;
            for asker in askers {
                let (own, error) = asker.await.unwrap();
                assert!(matches!(error, AskError::Stopped { .. }), "{error}");
                answered += own;
            }
            assert_eq!((answered, log.len()), (handled, handled));
            let report = till.stopped().await;
            assert_eq!(report.state, if kind == 3 { ModuleState::Failed } else { ModuleState::Stopped });
            system.shutdown().await;
        });
    }
}

#[test]
fn l4_a_system_that_goes_takes_idle_modules_with_it() {
    let drops = Drops::new();
    for (number, flavor) in (1..).zip(Flavor::ALL) {
        flavor.run(|| async {
            let system = System::new();
            let till = idle(&system, Till { _token: Some(drops.token()), ..Till::default() }).await;
            assert_eq!(till.add(1).await, Ok(1));
            drop(system);
            till.stopped().await;
            assert_eq!(drops.count(), number);
        });
    }
    // A runtime that goes with all that lives on it.
    let runtime = Flavor::MultiThread.runtime();
    let system = runtime.block_on(async {
        let system = System::new();
        idle(&system, Till { _token: Some(drops.token()), ..Till::default() }).await;
        system
    });
    drop(runtime);
    assert_eq!(drops.count(), 4);
    drop(system);
}
