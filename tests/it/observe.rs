//! What a system tells of its modules: counters that account for each message, and times that are measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use dms::observe::{Counters, ModuleStatistics};
use dms::prelude::*;
use dms::recovery::{Backoff, Restart};
use dms_tests::{
    Boom, Flavor, Log, Note, Puppet, act, act_in, cases, eventually, held, on_every_runtime, on_paused, puppet, settle,
};
use proptest::prelude::*;
use tokio::time::sleep;

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Without a wait, and as often as it takes.
const AT_ONCE: Restart =
    Restart::on_failure().max_restarts(u32::MAX, MILLISECOND).backoff(Backoff::new(Duration::ZERO, Duration::ZERO));

/// Each accepted message is in one place.
fn is_accounted_for(module: &ModuleStatistics) -> bool {
    let Counters { accepted, handled, undelivered, dropped, .. } = module.counters;
    accepted == handled + undelivered + dropped + module.load && module.load - module.depth <= 1
}

/// Counters of these, and no times.
fn counted(accepted: u64, handled: u64, undelivered: u64, dropped: u64, refused: u64) -> [u64; 5] {
    [accepted, handled, undelivered, dropped, refused]
}

fn counts(module: &ModuleRef<impl Module>) -> [u64; 5] {
    let statistics = module.statistics();
    assert!(is_accounted_for(&statistics), "{statistics:?}");
    let Counters { accepted, handled, undelivered, dropped, refused, .. } = statistics.counters;
    counted(accepted, handled, undelivered, dropped, refused)
}

#[test]
fn what_is_handled_waits_and_is_in_hand_is_told_apart() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(puppet(&Log::new())).await.unwrap();
        assert_eq!(counts(&module), [0; 5]);
        for number in 0..10 {
            module.ask(Note(number)).await.unwrap();
        }
        eventually("the last one is over", || module.statistics().load == 0).await;
        assert_eq!(counts(&module), counted(10, 10, 0, 0, 0));
        let held = held(&module).await;
        for number in 0..5 {
            module.send(Note(number)).await.unwrap();
        }
        let statistics = module.statistics();
        assert_eq!((statistics.depth, statistics.load), (5, 6));
        assert_eq!(counts(&module), counted(16, 10, 0, 0, 0));
        held.release();
        eventually("all are handled", || module.statistics().load == 0).await;
        assert_eq!(counts(&module), counted(16, 16, 0, 0, 0));
        system.shutdown().await;
    });
}

/// A worker that has handled as many as its turn allows is between two messages.
#[test]
fn a_message_that_is_done_is_handled_also_where_the_next_has_not_begun() {
    on_paused(|| async {
        let (system, log) = (System::new(), Log::new());
        let module = system.register_module(puppet(&log)).await.unwrap();
        for number in 0..1_000 {
            module.try_send(Note(number)).unwrap();
        }
        let looked = tokio::spawn(async move {
            let mut looked = 0;
            while log.len() < 1_000 {
                give_way().await;
                assert_eq!(counts(&module), counted(1_000, log.len() as u64, 0, 0, 0));
                looked += 1;
            }
            looked
        });
        assert!(looked.await.unwrap() > 2, "it looks in between");
        system.shutdown().await;
    });
}

/// Lets each task that can run do so once. Tokio's `yield_now` would wait until none can.
async fn give_way() {
    let mut given = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn what_the_policy_drops_what_is_refused_and_what_the_end_leaves_are_told_apart() {
    on_every_runtime(|| async {
        for (overflow, expected) in [
            (Overflow::Reject, counted(3, 0, 0, 0, 4)),
            (Overflow::Wait, counted(3, 0, 0, 0, 4)),
            (Overflow::DropOldest, counted(7, 0, 0, 4, 0)),
            (Overflow::DropNewest, counted(7, 0, 0, 4, 0)),
        ] {
            let system = System::new();
            let module = system.register_module(puppet(&Log::new())).mailbox(2).overflow(overflow).await.unwrap();
            let held = held(&module).await;
            for number in 0..6 {
                // Whether it is full is what is looked at.
                let _ = module.try_send(Note(number));
            }
            assert_eq!(counts(&module), expected, "{overflow:?}");
            let stop = module.stop().into_future();
            let stop = tokio::spawn(stop);
            eventually("it is told to stop", || module.state() == dms::ModuleState::Stopping).await;
            held.release();
            let report = stop.await.unwrap().unwrap();
            module.try_send(Note(9)).unwrap_err();
            module.ask(Note(9)).await.unwrap_err();
            let [accepted, _, _, dropped, refused] = expected;
            assert_eq!(counts(&module), counted(accepted, 1, 2, dropped, refused + 2), "{overflow:?}");
            assert_eq!(report.undelivered, 2 + dropped, "a report does not tell them apart");
            system.shutdown().await;
        }
    });
}

#[test]
fn delayed_messages_are_accepted_when_they_are_due_or_can_come_no_more() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(puppet(&Log::new())).await.unwrap();
        module.send_after(Note(1), SECOND);
        module.send_after(Note(2), 3 * SECOND);
        module.send_after(Note(3), Duration::MAX);
        assert_eq!(counts(&module), [0; 5]);
        sleep(2 * SECOND).await;
        assert_eq!(counts(&module), counted(1, 1, 0, 0, 0));
        module.stop().await.unwrap();
        assert_eq!(counts(&module), counted(3, 1, 2, 0, 0));
        module.send_after(Note(4), SECOND);
        assert_eq!(counts(&module), counted(4, 1, 3, 0, 0));
        system.shutdown().await;
    });
}

#[test]
fn panics_and_restarts_are_counted_and_the_slot_keeps_all_counters() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let module = system.register_with(move |_| puppet(&log)).restart(AT_ONCE).await.unwrap();
        for number in 0..3 {
            module.send(Note(number)).await.unwrap();
            module.send(Boom("boom")).await.unwrap();
        }
        module.ask(Note(3)).await.unwrap();
        let task = act_in(|ctx| {
            let task = async { std::panic::resume_unwind(Box::new("in a task")) };
            drop(ctx.spawn::<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>>("task", Box::pin(task)));
            Box::pin(async {})
        });
        module.ask(task).await.unwrap();
        eventually("it runs again", || module.incarnation() == 5).await;
        eventually("nothing is in hand", || module.statistics().load == 0).await;
        assert_eq!(counts(&module), counted(8, 8, 0, 0, 0));
        let counters = module.statistics().counters;
        assert_eq!((counters.panics, counters.restarts), (4, 4));
        system.shutdown().await;
    });
}

#[test]
fn a_recipient_that_waits_for_room_is_not_refused() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(puppet(&Log::new())).mailbox(1).await.unwrap();
        let held = held(&module).await;
        module.try_send(Note(1)).unwrap();
        let recipient = module.recipient::<Note>();
        let sent = tokio::spawn(async move { recipient.send(Note(2)).await });
        settle().await;
        assert_eq!(counts(&module), counted(2, 0, 0, 0, 0));
        held.release();
        sent.await.unwrap().unwrap();
        settle().await;
        assert_eq!(counts(&module), counted(3, 3, 0, 0, 0));
        system.shutdown().await;
    });
}

#[test]
fn a_snapshot_tells_of_all_modules_by_type_and_keeps_what_has_ended() {
    on_paused(|| async {
        let system = System::builder("shop").build();
        let parent = system.register_module(Puppet::default()).name("parent").await.unwrap();
        let child = act_in(|ctx| {
            let child = ctx.register_module(Echo);
            Box::pin(async move { drop(child.await) })
        });
        parent.ask(child).await.unwrap();
        let echo = system.register_module(Echo).await.unwrap();
        for _ in 0..3 {
            echo.ask(Say).await.unwrap();
        }
        settle().await;
        let before = system.snapshot();
        assert_eq!(before.system, "shop");
        let of_modules: Vec<_> = before
            .modules
            .iter()
            .map(|module| (module.name.as_str(), module.type_name, module.counters.handled))
            .collect();
        assert_eq!(of_modules, [("parent", "Puppet", 1), ("Echo#2", "Echo", 0), ("Echo#3", "Echo", 3)]);
        assert_eq!(before.modules[1].parent, Some(parent.id()));
        let of_types = |snapshot: &dms::observe::SystemSnapshot| {
            let types = snapshot.types.iter();
            types.map(|of| (of.name, of.living, of.ended, of.counters.handled)).collect::<Vec<_>>()
        };
        assert_eq!(of_types(&before), [("Echo", 2, 0, 3), ("Puppet", 1, 0, 1)]);
        assert_eq!(before.totals().accepted, 4);

        echo.stop().await.unwrap();
        parent.stop().await.unwrap();
        let after = system.snapshot();
        assert_eq!(after.modules, []);
        assert_eq!(of_types(&after), [("Echo", 0, 2, 3), ("Puppet", 0, 1, 1)]);
        assert_eq!(after.totals(), before.totals());
        let reference = system.reference();
        system.shutdown().await;
        drop(system);
        settle().await;
        assert_eq!((reference.snapshot().system, reference.snapshot().modules), (String::new(), Vec::new()));
    });
}

#[test]
fn a_snapshot_is_serialised_as_flat_records() {
    on_paused(|| async {
        let system = System::builder("shop").build();
        let echo = system.register_module(Echo).name("echo").await.unwrap();
        echo.ask(Sleep { millis: 30 }).await.unwrap();
        settle().await;
        let snapshot = serde_json::to_value(system.snapshot()).unwrap();
        let module = &snapshot["modules"][0];
        for (key, value) in [("name", "echo"), ("type", "Echo"), ("state", "running")] {
            assert_eq!(module[key], value);
        }
        for (key, value) in [("id", 1), ("incarnation", 1), ("depth", 0), ("load", 0), ("accepted", 1), ("handled", 1)]
        {
            assert_eq!(module[key], value, "{key}");
        }
        for key in ["undelivered", "dropped", "refused", "panics", "restarts", "reloads"] {
            assert_eq!(module[key], 0, "{key}");
        }
        assert_eq!(module["handle_time"]["count"], 1);
        assert_eq!(module["handle_time"]["p99_ns"], 30_000_000);
        assert_eq!(module["handle_time"]["buckets"].as_array().unwrap().len(), 1);
        assert_eq!(snapshot["types"][0]["handled"], 1);
        system.shutdown().await;
    });
}

#[module]
struct Echo;

#[module]
impl Echo {
    #[handler(Say)]
    fn say(&self) {}

    #[handler(Sleep)]
    async fn sleep(&self, millis: u64) {
        sleep(Duration::from_millis(millis)).await;
    }
}

/// What the histograms hold, each bucket by its longest duration in milliseconds; all that is measured here lies at the end of its bucket, or in none other.
fn times(module: &ModuleRef<impl Module>) -> (Vec<u128>, Vec<u128>) {
    let counters = module.statistics().counters;
    let all = |histogram: &dms::observe::Histogram| {
        let count = histogram.count();
        let quantiles = (1..=count).map(|nth| {
            #[allow(clippy::cast_precision_loss, reason = "there are few")]
            let part = nth as f64 / count as f64;
            histogram.quantile(part).unwrap_or_default().as_millis()
        });
        quantiles.collect()
    };
    (all(&counters.wait_time), all(&counters.handle_time))
}

#[test]
fn waits_and_handlers_are_measured_and_idle_time_is_neither() {
    on_paused(|| async {
        let system = System::new();
        let echo = system.register_module(Echo).await.unwrap();
        // At once, so that they wait for each other.
        for _ in 0..3 {
            echo.try_send(Sleep { millis: 30 }).unwrap();
        }
        sleep(3_600 * SECOND).await;
        let (waits, handled) = times(&echo);
        assert_eq!(handled, [30, 30, 30], "exact: they are alike");
        let counters = echo.statistics().counters;
        assert_eq!(
            (counters.wait_time.min(), counters.wait_time.max()),
            (Some(Duration::ZERO), Some(60 * MILLISECOND))
        );
        assert_eq!(counters.wait_time.mean(), Some(30 * MILLISECOND));
        assert!(waits[0] == 0 && (30..34).contains(&waits[1]) && waits[2] == 60, "{waits:?}");
        echo.ask(Say).await.unwrap();
        sleep(3_600 * SECOND).await;
        let counters = echo.statistics().counters;
        assert_eq!((counters.handle_time.count(), counters.handle_time.max()), (4, Some(30 * MILLISECOND)));
        assert_eq!(counters.handle_time.min(), Some(Duration::ZERO));
        system.shutdown().await;
    });
}

#[test]
fn a_handler_that_panics_is_measured_to_its_panic_and_what_waits_meanwhile_waits() {
    on_paused(|| async {
        let restart =
            Restart::on_failure().backoff(Backoff::new(10 * SECOND, 10 * SECOND).jitter(dms::recovery::Jitter::None));
        let system = System::new();
        let module = system.register_with(|_| puppet(&Log::new())).restart(restart).await.unwrap();
        let boom = act(async {
            sleep(SECOND).await;
            panic!("boom")
        });
        module.try_send::<dms_tests::Do<()>>(boom).unwrap();
        module.ask(Note(1)).no_timeout().await.unwrap();
        settle().await;
        let counters = module.statistics().counters;
        assert_eq!(counters.handle_time.max(), Some(SECOND));
        assert_eq!(counters.handle_time.count(), 2);
        assert_eq!(counters.wait_time.max(), Some(11 * SECOND));
        system.shutdown().await;
    });
}

/// Its loop rests between two messages.
#[module]
struct Slow;

#[module]
impl Slow {
    #[handler(Work)]
    async fn work(&mut self) {
        sleep(5 * MILLISECOND).await;
    }

    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
        while let Some(message) = inbox.recv().await {
            inbox.dispatch(message, self, ctx).await;
            sleep(SECOND).await;
        }
    }
}

#[test]
fn in_a_loop_of_the_modules_own_a_handler_is_measured_to_its_end() {
    on_paused(|| async {
        let system = System::new();
        let slow = system.register_module(Slow).await.unwrap();
        slow.try_send(Work).unwrap();
        slow.try_send(Work).unwrap();
        sleep(10 * SECOND).await;
        let counters = slow.statistics().counters;
        assert_eq!((counters.handle_time.count(), counters.handle_time.max()), (2, Some(5 * MILLISECOND)));
        assert_eq!(counters.wait_time.max(), Some(SECOND + 5 * MILLISECOND));
        system.shutdown().await;
    });
}

#[module]
struct Lookup;

#[module]
impl Lookup {
    #[handler(Look, inline)]
    fn look(&self) {}
}

#[test]
fn what_an_asker_runs_itself_is_counted_and_measured_too() {
    on_paused(|| async {
        let system = System::new();
        let lookup = system.register_module(Lookup).await.unwrap();
        settle().await;
        for _ in 0..10 {
            lookup.ask(Look).await.unwrap();
        }
        assert_eq!(counts(&lookup), counted(10, 10, 0, 0, 0));
        let counters = lookup.statistics().counters;
        assert_eq!((counters.wait_time.count(), counters.handle_time.count()), (10, 10));
        assert_eq!(counters.wait_time.max(), Some(Duration::ZERO));
        system.shutdown().await;
    });
}

#[test]
fn the_first_messages_are_measured_and_then_some() {
    on_paused(|| async {
        let system = System::new();
        let echo = system.register_module(Echo).await.unwrap();
        for number in 1..=20_000_u64 {
            echo.ask(Say).await.unwrap();
            let measured = echo.statistics().counters.wait_time.count();
            assert!(number > 16 || measured == number, "{measured} of {number}");
        }
        settle().await;
        let counters = echo.statistics().counters;
        assert_eq!(counters.wait_time.count(), counters.handle_time.count());
        let often = 20_000 / 256;
        assert!((often / 2..often * 2).contains(&counters.wait_time.count()), "{}", counters.wait_time.count());
        system.shutdown().await;
    });
}

/// What a message has the module do.
#[derive(Debug, Clone, Copy)]
enum Do {
    Nothing,
    Sleep,
    Panic,
    Stop,
}

/// Counts what begins.
#[module]
struct Busy {
    begun: Arc<AtomicU64>,
}

#[module]
impl Busy {
    #[handler(Run, derive(Clone))]
    async fn on_run(&mut self, what: Do, ctx: &mut Context<Self>) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        match what {
            Do::Nothing => {}
            Do::Sleep => sleep(7 * MILLISECOND).await,
            Do::Panic => std::panic::resume_unwind(Box::new("as told")),
            Do::Stop => ctx.stop().unwrap(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    TrySend(Do),
    Send(Do),
    Ask(Do),
    After(Do, u64),
    Tick(u64),
    Wait(u64),
    Yield,
    Stop,
    Drain,
}

fn step() -> impl Strategy<Value = Step> {
    let what = || prop_oneof![8 => Just(Do::Nothing), 4 => Just(Do::Sleep), 2 => Just(Do::Panic), 1 => Just(Do::Stop)];
    prop_oneof![
        20 => what().prop_map(Step::TrySend),
        20 => what().prop_map(Step::Send),
        15 => what().prop_map(Step::Ask),
        5 => (what(), 0..40_u64).prop_map(|(what, after)| Step::After(what, after)),
        2 => (1..20_u64).prop_map(Step::Tick),
        10 => (0..30_u64).prop_map(Step::Wait),
        20 => Just(Step::Yield),
        1 => Just(Step::Stop),
        1 => Just(Step::Drain),
    ]
}

#[derive(Debug, Clone)]
struct Case {
    mailbox: Option<usize>,
    overflow: Overflow,
    restarts: bool,
    steps: Vec<Step>,
}

fn case() -> impl Strategy<Value = Case> {
    let overflow = prop_oneof![
        Just(Overflow::Wait),
        Just(Overflow::Reject),
        Just(Overflow::DropOldest),
        Just(Overflow::DropNewest)
    ];
    let mailbox = prop_oneof![Just(None), (1..5_usize).prop_map(Some)];
    (mailbox, overflow, prop::bool::weighted(0.8), prop::collection::vec(step(), 1..80))
        .prop_map(|(mailbox, overflow, restarts, steps)| Case { mailbox, overflow, restarts, steps })
}

/// What the senders know.
#[derive(Debug, Default)]
struct Sent {
    accepted: AtomicU64,
    refused: AtomicU64,
}

impl Sent {
    fn count(&self, accepted: bool) {
        if accepted { &self.accepted } else { &self.refused }.fetch_add(1, Ordering::Relaxed);
    }
}

async fn account(case: Case) -> Result<(), TestCaseError> {
    let system = System::new();
    let begun = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&begun);
    let mut registration = system.register_with(move |_| Busy { begun: Arc::clone(&counter) }).overflow(case.overflow);
    if let Some(mailbox) = case.mailbox {
        registration = registration.mailbox(mailbox);
    }
    if case.restarts {
        registration = registration.restart(AT_ONCE);
    }
    let module = registration.await.unwrap();
    let sent = Arc::new(Sent::default());
    let mut tasks = Vec::new();
    let mut ticks = 0;
    for step in case.steps {
        let (target, sent) = (module.clone(), Arc::clone(&sent));
        match step {
            Step::TrySend(what) => sent.count(module.try_send(Run { what }).is_ok()),
            Step::Send(what) => tasks.push(tokio::spawn(async move {
                sent.count(target.send(Run { what }).await.is_ok());
            })),
            Step::Ask(what) => tasks.push(tokio::spawn(async move {
                match target.ask(Run { what }).no_timeout().await {
                    // Whether one that nobody answers was accepted is for the module to say.
                    Err(AskError::Stopped { .. }) => {}
                    Err(AskError::Full { .. }) => sent.count(false),
                    Ok(()) | Err(_) => sent.count(true),
                }
            })),
            Step::After(what, after) => {
                module.send_after(Run { what }, Duration::from_millis(after));
                sent.count(true);
            }
            Step::Tick(every) => {
                module.request_tick(Run { what: Do::Nothing }, Duration::from_millis(every));
                ticks += 1;
            }
            Step::Wait(millis) => sleep(Duration::from_millis(millis)).await,
            Step::Yield => tokio::task::yield_now().await,
            Step::Stop => drop(tokio::spawn(target.stop().into_future())),
            Step::Drain => drop(tokio::spawn(target.drain().into_future())),
        }
        let statistics = module.statistics();
        prop_assert!(is_accounted_for(&statistics), "{:?}", statistics);
        let in_hand = statistics.load - statistics.depth;
        // What is in hand has begun, also where its handler has not been polled.
        let begun = begun.load(Ordering::Relaxed);
        prop_assert_eq!(statistics.counters.handled + in_hand, begun, "{:?}", statistics);
    }
    sleep(SECOND).await;
    // Whoever was told to end, or was not built again, has.
    let report = module.stop().await.unwrap();
    for task in tasks {
        task.await.unwrap();
    }
    let statistics = module.statistics();
    let Counters { accepted, handled, undelivered, dropped, refused, .. } = statistics.counters;
    prop_assert_eq!((statistics.depth, statistics.load), (0, 0));
    prop_assert_eq!(handled, begun.load(Ordering::Relaxed));
    prop_assert_eq!(report.undelivered, undelivered + dropped);
    prop_assert_eq!(accepted, handled + undelivered + dropped);
    let (told_accepted, told_refused) = (sent.accepted.load(Ordering::Relaxed), sent.refused.load(Ordering::Relaxed));
    prop_assert!(accepted >= told_accepted && refused >= told_refused, "{:?} {:?}", statistics, sent);
    if ticks == 0 {
        let all = told_accepted + told_refused;
        prop_assert!(accepted + refused >= all);
    }
    // Of what was sent after the end, nobody is left to know.
    let totals = system.snapshot().totals();
    prop_assert_eq!(totals.accepted, totals.handled + totals.undelivered + totals.dropped);
    prop_assert!(totals.refused <= refused && totals.undelivered <= undelivered);
    let mut late = totals;
    (late.refused, late.undelivered, late.accepted) = (refused, undelivered, accepted);
    prop_assert_eq!(late, statistics.counters);
    system.shutdown().await;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(256, 10_000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_message_is_accounted_for_whatever_happens_to_the_module(case in case()) {
        Flavor::Paused.run(|| account(case))?;
    }
}

#[test]
fn each_message_is_accounted_for_while_threads_send_and_look() {
    Flavor::MultiThread.run(|| async {
        for overflow in [Overflow::Wait, Overflow::DropOldest, Overflow::DropNewest, Overflow::Reject] {
            let system = System::new();
            let begun = Arc::new(AtomicU64::new(0));
            let counter = Arc::clone(&begun);
            let module = system
                .register_with(move |_| Busy { begun: Arc::clone(&counter) })
                .mailbox(8)
                .overflow(overflow)
                .restart(AT_ONCE)
                .await
                .unwrap();
            let sent = Arc::new(Sent::default());
            let senders: Vec<_> = (0..4)
                .map(|_| {
                    let (module, sent) = (module.clone(), Arc::clone(&sent));
                    tokio::spawn(async move {
                        for number in 0..2_000 {
                            let what = if number % 500 == 499 { Do::Panic } else { Do::Nothing };
                            sent.count(module.send(Run { what }).await.is_ok());
                        }
                    })
                })
                .collect();
            let mut before = Counters::default();
            while senders.iter().any(|sender| !sender.is_finished()) {
                let now = module.statistics();
                assert!(is_accounted_for(&now), "{now:?}");
                let now = now.counters;
                assert!(now.accepted >= before.accepted && now.dropped >= before.dropped, "{now:?} after {before:?}");
                before = now;
                tokio::task::yield_now().await;
            }
            module.drain().await.unwrap();
            let Counters { accepted, handled, dropped, refused, undelivered, .. } = module.statistics().counters;
            assert_eq!(handled, begun.load(Ordering::Relaxed));
            assert_eq!(
                (accepted, refused),
                (sent.accepted.load(Ordering::Relaxed), sent.refused.load(Ordering::Relaxed))
            );
            // It may have failed just as it was told to end.
            assert_eq!(accepted, handled + dropped + undelivered);
            system.shutdown().await;
        }
    });
}
