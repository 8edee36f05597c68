//! Events: published once, handled by every module that subscribed, in its own turn.

use std::time::Duration;

use dms::event::{Custom, EventCounts, EventDelivery, Lagged, MemoryPressure, PressureLevel, Shutdown, Tick};
use dms::prelude::*;
use dms::testing::mock;
use dms::{Failure, ModuleState, Routing};
use dms_tests::{
    Drops, Held, Log, Token, act_in, events_of, eventually, hold, on_every_runtime, on_paused, puppet, settle,
};
use tokio::time::Instant;

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);

/// What the tests publish.
#[derive(Debug, Clone, PartialEq)]
struct Sold(u64);

/// Handles, ignores or fails, as it is told.
#[module]
struct Shop {
    does: fn() -> Result<EventResponse, ModuleError>,
    log: Log<u64>,
}

#[module]
impl Shop {
    #[event]
    fn on_sold(&mut self, event: &Sold) -> Result<EventResponse, ModuleError> {
        self.log.push(event.0);
        (self.does)()
    }

    #[handler(Note)]
    fn note(&mut self, number: u64) {
        self.log.push(number);
    }
}

fn shop(does: fn() -> Result<EventResponse, ModuleError>) -> Shop {
    Shop { does, log: Log::new() }
}

fn handling(log: &Log<u64>) -> Shop {
    Shop { does: || Ok(EventResponse::Handled), log: log.clone() }
}

fn counts_of(counts: EventCounts) -> [usize; 5] {
    [counts.handled, counts.ignored, counts.failed, counts.lagged, counts.unanswered]
}

/// Is held in its handler of [`Sold`] once it is told to; hears of what it missed.
#[module]
#[derive(Default)]
struct Slow {
    hold: Option<Held2>,
    log: Log<u64>,
    lagged: Log<(u64, &'static str)>,
}

type Held2 = std::pin::Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

#[module]
impl Slow {
    #[event(buffer = 4)]
    async fn on_sold(&mut self, event: &Sold) {
        if let Some(hold) = self.hold.take() {
            hold.await;
        }
        self.log.push(event.0);
    }

    #[event]
    fn on_lagged(&mut self, lagged: &Lagged) {
        self.log.push(1_000 + lagged.missed);
        self.lagged.push((lagged.missed, lagged.handler));
    }
}

fn slow() -> (Slow, Held) {
    let (holding, held) = hold();
    (Slow { hold: Some(Box::pin(holding)), ..Slow::default() }, held)
}

#[test]
fn an_event_is_handled_by_one_ignored_by_another_and_fails_in_a_third() {
    on_every_runtime(|| async {
        let system = System::new();
        system.register_module(shop(|| Ok(EventResponse::Handled))).await.unwrap();
        system.register_module(shop(|| Ok(EventResponse::Ignored))).await.unwrap();
        let failing = system.register_module(shop(|| Err("sold out".into()))).await.unwrap();
        let counts = system.publish(Sold(1)).await;
        assert_eq!(counts_of(counts), [1, 1, 1, 0, 0]);
        assert_eq!(counts.to_string(), "1 handled, 1 ignored, 1 failed, 0 lagged, 0 unanswered");
        assert_eq!(failing.state(), ModuleState::Running, "the error of an event handler is not the module's");
        system.shutdown().await;
    });
}

#[test]
fn the_error_of_an_event_handler_is_logged_with_its_module_and_handler() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let system = System::new();
            system.register_module(shop(|| Err("sold out".into()))).name("corner").await.unwrap();
            system.publish(Sold(1)).await;
            system.shutdown().await;
        });
    });
    let texts: Vec<_> = events.iter().map(|event| event.text.as_str()).collect();
    assert_eq!(texts, [r#"an event handler failed: sold out module="corner" handler="on_sold""#]);
}

/// A lean subscriber for large numbers.
#[module]
struct Counting {
    seen: u64,
}

#[module]
impl Counting {
    #[event]
    fn on_sold(&mut self, event: &Sold) {
        assert_eq!(event.0, self.seen, "in order, and none is missed");
        self.seen += 1;
    }

    #[handler(Seen)]
    fn seen(&self) -> u64 {
        self.seen
    }
}

/// Never returns from its first event, until it is let go.
#[module]
struct Stuck {
    hold: Option<Held2>,
    log: Log<String>,
}

#[module]
impl Stuck {
    #[event]
    async fn on_sold(&mut self, event: &Sold) {
        if let Some(hold) = self.hold.take() {
            hold.await;
        }
        self.log.push(event.0.to_string());
    }

    #[event]
    fn on_lagged(&mut self, lagged: &Lagged) {
        self.log.push(format!("missed {}", lagged.missed));
    }
}

#[test]
fn of_a_hundred_subscribers_one_is_stuck_and_misses_what_the_others_get() {
    on_every_runtime(|| async {
        let system = System::new();
        let (holding, mut held) = hold();
        let log = Log::new();
        system.register_module(Stuck { hold: Some(Box::pin(holding)), log: log.clone() }).await.unwrap();
        let mut others = Vec::new();
        for _ in 0..99 {
            others.push(system.register_module(Counting { seen: 0 }).await.unwrap());
        }
        let mut lagged = 0;
        for number in 0..10_000 {
            lagged += system.publish(Sold(number)).counts().lagged;
            if number == 0 {
                held.begun().await;
            }
            if number % 500 == 499 {
                // An answer is behind all events that were published before it was asked for.
                for other in &others {
                    assert_eq!(other.seen().await, Ok(number + 1));
                }
            }
        }
        assert_eq!(lagged, 10_000 - 1_024);
        held.release();
        eventually("the stuck one hears of it", || log.len() == 1_025).await;
        let expected = (0..1_024).map(|number| number.to_string());
        let expected: Vec<_> = expected.chain(["missed 8976".to_owned()]).collect();
        assert_eq!(log.all(), expected);
        // From then on it gets all again.
        assert_eq!(system.publish(Sold(10_000)).await.handled, 100);
        assert_eq!(log.all().last().map(String::as_str), Some("10000"));
        system.shutdown().await;
    });
}

#[test]
fn what_was_missed_is_told_without_a_further_event_and_before_later_ones() {
    on_every_runtime(|| async {
        let system = System::new();
        let (slow, mut held) = slow();
        let (log, lagged) = (slow.log.clone(), slow.lagged.clone());
        let module = system.register_module(slow).await.unwrap();
        system.publish(Sold(0));
        held.begun().await;
        for number in 1..4 {
            assert_eq!(system.publish(Sold(number)).counts().lagged, 0);
        }
        for number in 4..10 {
            assert_eq!(counts_of(system.publish(Sold(number)).await), [0, 0, 0, 1, 0], "a miss is known at once");
        }
        held.release();
        eventually("it hears of it", || lagged.len() == 1).await;
        assert_eq!(lagged.all(), [(6, "on_sold")]);
        eventually("the backlog is done", || module.depth() == 0).await;
        assert_eq!(system.publish(Sold(10)).await.handled, 1);
        assert_eq!(log.all(), [0, 1, 2, 3, 1_006, 10]);
        system.shutdown().await;
    });
}

#[test]
fn what_comes_while_the_backlog_is_above_its_half_belongs_to_the_same_gap() {
    on_paused(|| async {
        let system = System::new();
        let (slow, mut held) = slow();
        let log = slow.log.clone();
        system.register_module(slow).await.unwrap();
        system.publish(Sold(0));
        held.begun().await;
        for number in 1..5 {
            system.publish(Sold(number));
        }
        held.release();
        // The first is handled, three wait: there is room, but the gap is not told of yet.
        eventually("one is done", || !log.is_empty()).await;
        settle().await;
        assert_eq!(log.all(), [0, 1, 2, 3, 1_001]);
        system.shutdown().await;
    });
}

/// As [`Slow`], and does not care what it misses.
#[module]
struct Careless {
    hold: Option<Held2>,
}

#[module]
impl Careless {
    #[event(buffer = 1)]
    async fn on_sold(&mut self, _event: &Sold) {
        if let Some(hold) = self.hold.take() {
            hold.await;
        }
    }
}

#[test]
fn a_module_that_does_not_take_lagged_has_it_logged() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let system = System::new();
            let (holding, mut held) = hold();
            system.register_module(Careless { hold: Some(Box::pin(holding)) }).name("careless").await.unwrap();
            system.publish(Sold(0));
            held.begun().await;
            for number in 1..4 {
                system.publish(Sold(number));
            }
            held.release();
            settle().await;
            system.shutdown().await;
        });
    });
    let texts: Vec<_> = events.iter().map(|event| event.text.as_str()).collect();
    let expected = "events came faster than the module handles them: widen `buffer = N`, or take `&Lagged` in an `#[event]` \
                    module=\"careless\" handler=\"on_sold\" missed=3";
    assert_eq!(texts, [expected]);
}

#[test]
fn events_and_messages_of_one_sender_are_handled_in_the_order_in_which_they_were_sent() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let shop = system.register_module(handling(&log)).await.unwrap();
        for number in 0..100 {
            if number % 3 == 0 {
                system.publish(Sold(number));
            } else {
                shop.send(Note { number }).await.unwrap();
            }
        }
        shop.note(100).await.unwrap();
        assert_eq!(log.all(), (0..=100).collect::<Vec<_>>());
        system.shutdown().await;
    });
}

#[test]
fn events_do_not_wait_for_room_in_a_bounded_mailbox() {
    on_every_runtime(|| async {
        let system = System::new();
        let (slow, mut held) = slow();
        let log = slow.log.clone();
        let module = system.register_module(slow).mailbox(1).await.unwrap();
        system.publish(Sold(0));
        held.begun().await;
        for number in 1..4 {
            assert_eq!(system.publish(Sold(number)).counts().lagged, 0);
        }
        assert_eq!(module.depth(), 3);
        held.release();
        eventually("all are handled", || log.len() == 4).await;
        system.shutdown().await;
    });
}

/// Publishes while it starts, and is subscribed by then.
#[module]
struct Early {
    log: Log<u64>,
}

#[module]
impl Early {
    #[init]
    async fn init(&mut self, ctx: &mut Context<Self>) {
        let counts = ctx.publish(Sold(1)).await;
        assert_eq!(counts.unanswered, 1, "it waits in the mailbox, and is not waited for");
        self.log.push(0);
    }

    #[event]
    fn on_sold(&mut self, event: &Sold) {
        self.log.push(event.0);
    }
}

#[test]
fn a_module_is_subscribed_before_its_init_where_events_wait() {
    on_every_runtime(|| async {
        // No deadline would end its wait for itself.
        let system = System::builder("patient").no_ask_timeout().build();
        let log = Log::new();
        system.register_module(Early { log: log.clone() }).await.unwrap();
        assert_eq!(system.publish(Sold(2)).await.handled, 1);
        assert_eq!(log.all(), [0, 1, 2]);
        system.shutdown().await;
    });
}

#[test]
fn a_module_that_has_ended_is_no_subscriber() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let first = system.register_module(handling(&log)).await.unwrap();
        let second = system.register_module(handling(&log)).await.unwrap();
        assert_eq!(system.publish(Sold(1)).subscribers(), 2);
        first.stop().await.unwrap();
        assert_eq!(system.publish(Sold(2)).subscribers(), 1);
        second.stop().await.unwrap();
        assert_eq!(system.publish(Sold(3)).subscribers(), 0);
        assert_eq!(counts_of(system.publish(Sold(3)).await), [0; 5]);
        system.shutdown().await;
        assert_eq!(system.publish(Sold(4)).subscribers(), 0);
    });
}

#[test]
fn an_event_that_a_module_does_not_come_to_has_failed_and_is_undelivered() {
    on_every_runtime(|| async {
        let system = System::new();
        let (slow, mut held) = slow();
        let module = system.register_module(slow).await.unwrap();
        let first = system.publish(Sold(0));
        held.begun().await;
        let second = system.publish(Sold(1));
        let (report, ()) = tokio::join!(async { module.stop().await.unwrap() }, async {
            assert_eq!(counts_of(second.await), [0, 0, 1, 0, 0], "known as soon as it is sure");
            assert_eq!(counts_of(system.publish(Sold(2)).await), [0, 0, 1, 0, 0], "a module that stops takes no more");
            held.release();
        });
        assert_eq!(counts_of(first.await), [1, 0, 0, 0, 0]);
        assert_eq!(report.undelivered, 1);
        system.shutdown().await;
    });
}

/// Panics at its second event.
#[module]
struct Frail;

#[module]
impl Frail {
    #[event]
    async fn on_sold(&mut self, event: &Sold) {
        tokio::task::yield_now().await;
        assert_ne!(event.0, 2, "it cannot stand this");
    }
}

#[test]
fn l3_a_panic_in_an_event_handler_ends_one_module_and_the_event_has_failed() {
    on_every_runtime(|| async {
        let system = System::new();
        let frail = system.register_module(Frail).await.unwrap();
        let log = Log::new();
        system.register_module(handling(&log)).await.unwrap();
        let all = [1, 2, 3].map(|number| system.publish(Sold(number)));
        let mut counts = Vec::new();
        for published in all {
            counts.push(counts_of(published.await));
        }
        assert_eq!(counts, [[2, 0, 0, 0, 0], [1, 0, 1, 0, 0], [1, 0, 1, 0, 0]]);
        let report = frail.stopped().await;
        assert_eq!(report.undelivered, 1);
        assert!(matches!(report.failure, Some(Failure::Panic { place, .. }) if place == "on_sold"));
        assert_eq!(log.all(), [1, 2, 3]);
        system.shutdown().await;
    });
}

#[test]
fn an_event_is_dropped_once_its_last_subscriber_is_through() {
    struct Carried(#[allow(dead_code, reason = "counts its end")] Token);

    #[module]
    struct Carrier;

    #[module(visibility = "")]
    impl Carrier {
        #[event]
        fn on_carried(&mut self, _event: &Carried) {}
    }

    on_every_runtime(|| async {
        let system = System::new();
        for _ in 0..3 {
            system.register_module(Carrier).await.unwrap();
        }
        let drops = Drops::new();
        assert_eq!(system.publish(Carried(drops.token())).await.handled, 3);
        eventually("it is gone", || drops.count() == 1).await;
        drop(system.publish(Carried(drops.token())));
        eventually("so is one that nobody waits for", || drops.count() == 2).await;
        system.shutdown().await;
    });
}

#[test]
fn who_awaits_an_event_gives_up_after_the_systems_timeout_or_its_own() {
    on_paused(|| async {
        for (patience, timeout) in [(5 * S, None), (70 * MS, Some(70 * MS))] {
            let system = System::new();
            let (slow, mut held) = slow();
            system.register_module(slow).await.unwrap();
            let begun = Instant::now();
            let published = system.publish(Sold(0));
            held.begun().await;
            let published = match timeout {
                Some(timeout) => published.timeout(timeout),
                None => published,
            };
            assert_eq!(counts_of(published.await), [0, 0, 0, 0, 1]);
            let took = begun.elapsed();
            assert!((patience..patience + 5 * MS).contains(&took), "{took:?}");
            held.release();
            system.shutdown().await;
        }
        let system = System::builder("patient").no_ask_timeout().build();
        let (slow, mut held) = slow();
        system.register_module(slow).await.unwrap();
        let published = system.publish(Sold(0));
        held.begun().await;
        tokio::spawn(async move {
            tokio::time::sleep(3_600 * S).await;
            held.release();
        });
        assert_eq!(published.await.handled, 1);
        system.shutdown().await;
    });
}

#[test]
fn inside_a_handler_that_was_asked_the_callers_deadline_counts() {
    on_paused(|| async {
        let system = System::new();
        let (slow, mut held) = slow();
        system.register_module(slow).await.unwrap();
        let publisher = system.register_module(puppet(&Log::new())).await.unwrap();
        let counted = Log::new();
        let log = counted.clone();
        let ask = act_in(move |ctx| {
            Box::pin(async move {
                let begun = Instant::now();
                log.push(counts_of(ctx.publish(Sold(0)).no_timeout().await));
                assert!(begun.elapsed() < S);
            })
        });
        let asked = publisher.ask(ask).timeout(300 * MS).await;
        assert!(matches!(asked, Err(AskError::Timeout { .. })));
        held.begun().await;
        eventually("the handler went on", || counted.len() == 1).await;
        assert_eq!(counted.all(), [[0, 0, 0, 0, 1]]);
        held.release();
        system.shutdown().await;
    });
}

/// Publishes what it subscribes to, and asks who published.
#[module]
struct Peer {
    other: Option<ModuleRef<Peer>>,
    heard: Log<u64>,
    errors: Log<AskError>,
}

#[module]
impl Peer {
    #[handler(Sell)]
    async fn sell(&mut self, number: u64, ctx: &mut Context<Self>) -> EventCounts {
        ctx.publish(Sold(number)).await
    }

    #[handler(Meet)]
    fn meet(&mut self, other: ModuleRef<Peer>) {
        self.other = Some(other);
    }

    /// Has the other publish, and waits for what becomes of it.
    #[handler(HaveSold)]
    async fn have_sold(&mut self, number: u64) -> Option<EventCounts> {
        self.other.as_ref()?.sell(number).no_timeout().await.ok()
    }

    #[handler(Heard)]
    fn heard(&self) -> u64 {
        self.heard.len() as u64
    }

    #[event]
    async fn on_sold(&mut self, event: &Sold) {
        self.heard.push(event.0);
        if let Some(other) = &self.other
            && let Err(error) = other.heard().await
        {
            self.errors.push(error);
        }
    }
}

fn peer() -> Peer {
    Peer { other: None, heard: Log::new(), errors: Log::new() }
}

#[test]
fn a_publisher_does_not_wait_for_its_own_handler() {
    on_every_runtime(|| async {
        // No deadline would end the wait.
        let system = System::builder("patient").no_ask_timeout().build();
        let publisher = peer();
        let heard = publisher.heard.clone();
        let publisher = system.register_module(publisher).await.unwrap();
        system.register_module(peer()).await.unwrap();
        assert_eq!(counts_of(publisher.sell(7).await.unwrap()), [1, 0, 0, 0, 1]);
        eventually("it comes to it afterwards", || heard.all() == [7]).await;
        system.shutdown().await;
    });
}

#[test]
fn a_publisher_does_not_wait_for_its_own_handlers_of_an_event_in_several_forms() {
    /// Takes one event three times.
    #[module]
    struct Thrice {
        log: Log<&'static str>,
    }

    #[module(visibility = "")]
    impl Thrice {
        #[handler(Flush)]
        async fn flush(&mut self, as_event: bool, ctx: &mut Context<Self>) -> EventCounts {
            let custom = Custom::new("flushed", []);
            if as_event { ctx.publish(Event::from(custom)).await } else { ctx.publish(custom).await }
        }

        #[event]
        fn on_event(&mut self, _event: &Event) {
            self.log.push("event");
        }

        #[event]
        fn on_custom(&mut self, _event: &Custom) {
            self.log.push("custom");
        }

        #[event(custom = "flushed")]
        fn on_flushed(&mut self, _event: &Custom) {
            self.log.push("flushed");
        }
    }

    on_every_runtime(|| async {
        let system = System::builder("patient").no_ask_timeout().build();
        let (before, own, after) = (Log::new(), Log::new(), Log::new());
        system.register_module(Thrice { log: before.clone() }).await.unwrap();
        let publisher = system.register_module(Thrice { log: own.clone() }).await.unwrap();
        system.register_module(Thrice { log: after.clone() }).await.unwrap();
        for as_event in [false, true] {
            assert_eq!(counts_of(publisher.flush(as_event).await.unwrap()), [6, 0, 0, 0, 3]);
            eventually("it comes to its own afterwards", || own.len() == 3).await;
            for log in [&before, &own, &after] {
                let mut heard = log.take();
                heard.sort_unstable();
                assert_eq!(heard, ["custom", "event", "flushed"]);
            }
        }
        system.shutdown().await;
    });
}

#[test]
fn m5_a_subscriber_that_asks_the_waiting_publisher_gets_would_deadlock() {
    on_every_runtime(|| async {
        let system = System::new();
        let publisher = system.register_module(peer()).name("publisher").await.unwrap();
        let subscriber = peer();
        let errors = subscriber.errors.clone();
        let subscriber = system.register_module(subscriber).name("subscriber").await.unwrap();
        subscriber.meet(publisher.clone()).await.unwrap();
        assert_eq!(counts_of(publisher.sell(1).await.unwrap()), [1, 0, 0, 0, 1]);
        let errors = errors.all();
        let [AskError::WouldDeadlock { handler: "heard", cycle }] = &errors[..] else { panic!("{errors:?}") };
        assert_eq!(cycle.modules(), ["subscriber", "publisher"]);
        system.shutdown().await;
    });
}

#[test]
fn m5_a_publisher_does_not_wait_for_a_subscriber_that_waits_for_it() {
    on_every_runtime(|| async {
        let system = System::builder("patient").no_ask_timeout().build();
        let publisher = system.register_module(peer()).await.unwrap();
        let waiting = peer();
        let (heard, errors) = (waiting.heard.clone(), waiting.errors.clone());
        let waiting = system.register_module(waiting).await.unwrap();
        let third = Log::new();
        system.register_module(handling(&third)).await.unwrap();
        waiting.meet(publisher).await.unwrap();
        let counts = waiting.have_sold(5).await.unwrap().unwrap();
        assert_eq!(counts_of(counts), [1, 0, 0, 0, 2], "neither its own handler nor who waits for it");
        eventually("it comes to it afterwards", || heard.all() == [5]).await;
        assert!(errors.is_empty());
        assert_eq!(third.all(), [5]);
        system.shutdown().await;
    });
}

#[test]
fn a_module_without_the_macro_subscribes_itself() {
    /// Answers, lets go, and fails, in this order.
    #[module]
    struct Open(u64);

    impl Module for Open {
        type Message = DynMessage<Self>;

        async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
            ctx.subscribe_buffered::<Sold>(2);
            ctx.subscribe::<Sold>();
            ctx.subscribe::<Lagged>();
            Ok(())
        }
    }

    impl Handler<EventDelivery<Sold>> for Open {
        type Reply = ();

        async fn handle(&mut self, delivery: EventDelivery<Sold>, _: &mut Context<Self>) {
            match delivery.event().0 {
                0 => delivery.answer(()),
                1 => drop(delivery),
                _ => delivery.answer(Err::<(), _>("no")),
            }
        }
    }

    impl Handler<EventDelivery<Lagged>> for Open {
        type Reply = ();

        async fn handle(&mut self, delivery: EventDelivery<Lagged>, _: &mut Context<Self>) {
            self.0 += delivery.event().missed;
        }
    }

    struct Missed;

    impl Handler<Missed> for Open {
        type Reply = u64;

        async fn handle(&mut self, _: Missed, _: &mut Context<Self>) -> u64 {
            self.0
        }
    }

    on_paused(|| async {
        let system = System::new();
        let open = system.register_module(Open(0)).await.unwrap();
        for expected in [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0]] {
            let number = expected.iter().position(|count| *count == 1).unwrap();
            assert_eq!(counts_of(system.publish(Sold(number as u64)).await), expected);
        }
        let lagged: usize = (0..5).map(|_| system.publish(Sold(0)).counts().lagged).sum();
        assert_eq!(lagged, 3, "the first subscription is the one that counts");
        assert_eq!(open.ask(Missed).await, Ok(0), "it is still behind the two");
        assert_eq!(open.ask(Missed).await, Ok(3));
        system.shutdown().await;
    });
}

/// Notes what it hears of, and by which handler.
#[module]
struct Listener {
    log: Log<String>,
}

#[module]
impl Listener {
    #[event(custom = "flushed", buffer = 8)]
    fn on_flushed(&mut self, event: &Custom) {
        self.log.push(format!("on_flushed {}", event.name));
    }

    #[event]
    fn on_custom(&mut self, event: &Custom) {
        self.log.push(format!("on_custom {}", event.name));
    }

    #[event]
    fn on_tick(&mut self, event: &Tick) {
        self.log.push(format!("on_tick {}", event.timestamp_ns));
    }
}

#[module]
struct All {
    log: Log<Event>,
}

#[module]
impl All {
    #[event]
    fn on_event(&mut self, event: &Event) -> EventResponse {
        self.log.push(event.clone());
        EventResponse::Ignored
    }
}

#[test]
fn custom_events_are_told_apart_by_their_names() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        system.register_module(Listener { log: log.clone() }).await.unwrap();
        assert_eq!(system.publish(Custom::new("flushed", [])).await.handled, 2);
        assert_eq!(system.publish(Custom::new("filled", [])).await.handled, 1);
        let mut noted = log.all();
        noted.sort();
        assert_eq!(noted, ["on_custom filled", "on_custom flushed", "on_flushed flushed"]);
        system.shutdown().await;
    });
}

#[test]
fn a_system_event_reaches_the_subscribers_of_both_its_forms() {
    on_every_runtime(|| async {
        let system = System::new();
        let (log, all) = (Log::new(), Log::new());
        system.register_module(Listener { log: log.clone() }).await.unwrap();
        system.register_module(All { log: all.clone() }).await.unwrap();
        let custom = || Event::Custom { name: "flushed".to_owned(), data: vec![7] };
        assert_eq!(counts_of(system.publish(Tick { timestamp_ns: 1 }).await), [1, 1, 0, 0, 0]);
        assert_eq!(counts_of(system.publish(Event::Tick { timestamp_ns: 2 }).await), [1, 1, 0, 0, 0]);
        assert_eq!(counts_of(system.publish(custom()).await), [2, 1, 0, 0, 0]);
        assert_eq!(counts_of(system.publish(Custom::new("flushed", [7])).await), [2, 1, 0, 0, 0]);
        let level = PressureLevel::Critical;
        assert_eq!(counts_of(system.publish(MemoryPressure { level }).await), [0, 1, 0, 0, 0]);
        assert_eq!(counts_of(system.publish(Sold(1)).await), [0; 5], "it is none of the system's");
        let ticks = [1, 2].map(|timestamp_ns| Event::Tick { timestamp_ns });
        let expected = [&ticks[..], &[custom(), custom(), Event::MemoryPressure { level }]].concat();
        assert_eq!(all.all(), expected);
        assert_eq!(log.all()[..2], ["on_tick 1", "on_tick 2"]);
        assert_eq!(log.len(), 6);
        system.shutdown().await;
    });
}

#[test]
fn m1_a_module_with_a_loop_of_its_own_gets_events_through_its_inbox() {
    #[module]
    struct Session {
        log: Log<u64>,
    }

    #[module(visibility = "")]
    impl Session {
        #[event]
        async fn on_sold(&mut self, event: &Sold) {
            self.log.push(event.0);
        }

        #[event]
        fn on_shutdown(&mut self, _event: &Shutdown) {
            self.log.push(1_000);
        }

        #[stop]
        fn stop(&mut self) {
            self.log.push(2_000);
        }

        #[run]
        async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
            while let Some(message) = inbox.recv().await {
                match message {
                    SessionMessage::OnSold(delivery) if delivery.event().0 == 1 => {
                        delivery.answer(EventResponse::Ignored);
                    }
                    SessionMessage::OnSold(delivery) if delivery.event().0 == 2 => {}
                    other => inbox.dispatch(other, self, ctx).await,
                }
            }
        }
    }

    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        system.register_module(Session { log: log.clone() }).await.unwrap();
        assert_eq!(counts_of(system.publish(Sold(0)).await), [1, 0, 0, 0, 0]);
        assert_eq!(counts_of(system.publish(Sold(1)).await), [0, 1, 0, 0, 0]);
        assert_eq!(counts_of(system.publish(Sold(2)).await), [0, 1, 0, 0, 0], "let go is ignored");
        system.shutdown().await;
        assert_eq!(log.all(), [0, 1_000, 2_000]);
    });
}

#[test]
fn a_module_with_inline_handlers_gets_events_in_its_own_task() {
    #[module]
    struct Sums {
        sum: u64,
    }

    #[module(visibility = "")]
    impl Sums {
        #[event]
        fn on_sold(&mut self, event: &Sold) {
            self.sum += event.0;
        }

        #[handler(Sum, inline)]
        fn sum(&self) -> u64 {
            self.sum
        }
    }

    on_every_runtime(|| async {
        let system = System::new();
        let sums = system.register_module(Sums { sum: 0 }).await.unwrap();
        for number in 1..=100 {
            system.publish(Sold(number));
            if number % 10 == 0 {
                assert_eq!(sums.sum().await, Ok(number * (number + 1) / 2), "the ask stays behind the events");
            }
        }
        system.shutdown().await;
    });
}

#[test]
fn every_member_of_a_pool_gets_an_event() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let noted = log.clone();
        let pool = system.register_pool(4, move |_| handling(&noted)).routing(Routing::RoundRobin).await.unwrap();
        assert_eq!(system.publish(Sold(3)).await.handled, 4);
        assert_eq!(log.all(), [3; 4]);
        assert_eq!(pool.len(), 4);
        system.shutdown().await;
    });
}

#[test]
fn a_mock_hears_of_no_event() {
    on_paused(|| async {
        let log = Log::new();
        let noted = log.clone();
        let mocked = mock::<Party>(move |message| noted.push(dms::MessageSet::name(&message)));
        assert_eq!(mocked.depth(), 0);
        drop(mocked);
        settle().await;
        assert_eq!(log.all(), [""; 0]);
    });
}

/// Takes part in a shutdown: asks another in its handler, and notes the order.
#[module]
struct Party {
    name: &'static str,
    asks: Option<ModuleRef<Party>>,
    holds: Option<Held2>,
    log: Log<String>,
}

#[module]
impl Party {
    #[event]
    async fn on_shutdown(&mut self, _event: &Shutdown) {
        if let Some(hold) = self.holds.take() {
            hold.await;
        }
        if let Some(asked) = &self.asks {
            asked.hello().await.expect("who shuts down is answered");
        }
        self.log.push(format!("{} shutdown", self.name));
    }

    #[handler(Hello)]
    fn hello(&mut self) {
        self.log.push(format!("{} hello", self.name));
    }

    #[stop]
    fn stop(&mut self) {
        self.log.push(format!("{} stop", self.name));
    }
}

fn party(name: &'static str, log: &Log<String>) -> Party {
    Party { name, asks: None, holds: None, log: log.clone() }
}

#[test]
fn l2_shutdown_is_handled_once_by_all_ahead_of_the_queue_and_before_any_stop_hook() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let base = system.register_module(party("base", &log)).await.unwrap();
        let (holding, mut held) = hold();
        let middle = party("middle", &log);
        let middle = system.register_module(Party { asks: Some(base.clone()), ..middle }).await.unwrap();
        let last = party("last", &log);
        let last = Party { asks: Some(base.clone()), holds: Some(Box::pin(holding)), ..last };
        let last = system.register_module(last).await.unwrap();
        // What is queued behind a handler that runs is not handled any more.
        let busy = system.register_module(puppet(&Log::new())).await.unwrap();
        let gate = dms_tests::held(&busy).await;
        busy.send(dms_tests::Note(1)).await.unwrap();
        let shutdown = tokio::spawn({
            let system = system.reference();
            async move { system.shutdown().await }
        });
        held.begun().await;
        assert!(middle.try_send(Hello).is_err());
        eventually("the others have heard", || log.len() == 3).await;
        settle().await;
        assert_eq!(last.state(), ModuleState::Stopping);
        assert!(log.all().iter().all(|entry| !entry.ends_with("stop")), "{log:?}");
        held.release();
        gate.release();
        let report = shutdown.await.unwrap();
        assert_eq!(report.undelivered, 1);
        let log = log.all();
        let (before, after) = log.split_at(5);
        let mut before = before.to_vec();
        before.sort();
        assert_eq!(before, ["base hello", "base hello", "base shutdown", "last shutdown", "middle shutdown"]);
        assert_eq!(after, ["last stop", "middle stop", "base stop"]);
    });
}

#[test]
fn l2_a_handler_of_shutdown_that_does_not_return_is_cut_off_at_the_deadline() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        system.register_module(party("base", &log)).name("base").await.unwrap();
        let (holding, _held) = hold();
        let stuck = Party { holds: Some(Box::pin(holding)), ..party("stuck", &log) };
        system.register_module(stuck).name("stuck").await.unwrap();
        let begun = Instant::now();
        let report = system.shutdown_within(S).await;
        assert!((S..2 * S).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        assert_eq!(report.overran, ["stuck"]);
        assert_eq!(log.all(), ["base shutdown", "base stop"]);
    });
}

#[test]
fn l4_a_system_that_is_dropped_tells_its_modules() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(party("only", &log)).await.unwrap();
        drop(system);
        module.stopped().await;
        assert_eq!(log.all(), ["only shutdown", "only stop"]);
    });
}

#[test]
fn l2_a_module_that_is_still_starting_hears_of_the_shutdown_before_its_stop_hook() {
    #[module]
    struct Starting {
        hold: Option<Held2>,
        log: Log<&'static str>,
    }

    #[module(visibility = "")]
    impl Starting {
        #[init]
        async fn init(&mut self) {
            if let Some(hold) = self.hold.take() {
                hold.await;
            }
            self.log.push("init");
        }

        #[event]
        fn on_shutdown(&mut self, _event: &Shutdown) {
            self.log.push("shutdown");
        }

        #[stop]
        fn stop(&mut self) {
            self.log.push("stop");
        }
    }

    on_every_runtime(|| async {
        let system = System::new();
        let (holding, mut held) = hold();
        let log = Log::new();
        let starting = Starting { hold: Some(Box::pin(holding)), log: log.clone() };
        let reference = system.reference();
        let registered =
            tokio::spawn(async move { reference.register_module(starting).await.map(|module| module.id()) });
        held.begun().await;
        let (report, ()) = tokio::join!(system.shutdown(), async {
            settle().await;
            held.release();
        });
        assert!(report.complete);
        assert!(registered.await.unwrap().is_err());
        assert_eq!(log.all(), ["init", "shutdown", "stop"]);
    });
}

#[test]
fn publishing_never_waits_and_outlives_who_published() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        system.register_module(handling(&log)).await.unwrap();
        let reference = system.reference();
        std::thread::spawn(move || {
            // No runtime is needed: it is delivered when this returns.
            reference.publish(Sold(1));
        })
        .join()
        .unwrap();
        eventually("it is handled", || log.all() == [1]).await;
        system.shutdown().await;
    });
}
