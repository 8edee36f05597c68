//! Handlers with a deadline.

use std::future::pending;
use std::thread;
use std::time::Duration;

use dms::event::{Custom, EventCounts};
use dms::prelude::*;
use dms::recovery::{Backoff, Restart};
use dms::{AskError, Failure, ModuleState, RequestError};
use dms_tests::{Drops, Flavor, Log, events_of, on_every_runtime, on_paused};
use tokio::time::{Instant, sleep};

const AT_ONCE: Restart = Restart::on_failure()
    .max_restarts(u32::MAX, Duration::from_millis(1))
    .backoff(Backoff::new(Duration::ZERO, Duration::ZERO));

const SECOND: Duration = Duration::from_secs(1);

/// Each of its methods has a deadline.
#[module(name = "oven")]
#[derive(Default)]
struct Oven {
    log: Log<&'static str>,
    drops: Drops,
    ticks: bool,
}

#[module]
impl Oven {
    #[handler(Bake, deadline = "2s")]
    async fn bake(&mut self, time: Duration) -> Duration {
        let _token = self.drops.token();
        sleep(time).await;
        time
    }

    #[handler(BakeLater, deadline = "2s")]
    async fn bake_later(&mut self, time: Duration, reply: ReplyTo<Duration>) {
        sleep(time).await;
        reply.send(time);
    }

    #[handler(Burn, deadline = "1ms", boxed)]
    fn burn(&mut self, time: Duration) -> u64 {
        thread::sleep(time);
        7
    }

    #[handler(Note)]
    fn note(&mut self, text: &'static str) {
        self.log.push(text);
    }

    #[tick(every = "1h", deadline = "1m")]
    async fn clean(&mut self) {
        if self.ticks {
            pending::<()>().await;
        }
    }

    #[event(deadline = "1s")]
    async fn on_order(&mut self, order: &Custom) {
        if order.name == "never" {
            pending::<()>().await;
        }
    }

    #[request(deadline = "3s")]
    async fn handle_request(&mut self, request: &Request) -> Response {
        if request.request_type == "never" {
            pending::<()>().await;
        }
        Response::ok(Vec::new())
    }

    #[stop]
    fn stop(&self) {
        self.log.push("stop");
    }
}

/// A failure of the module `oven`.
fn overrun(handler: &'static str, deadline: Duration) -> Failure {
    Failure::Overrun { handler, elapsed: deadline, deadline }
}

#[test]
fn a_handler_that_overruns_is_dropped_where_it_is_and_its_asker_told_at_once() {
    on_paused(|| async {
        let (system, log, drops) = (System::new(), Log::new(), Drops::new());
        let oven = Oven { log: log.clone(), drops: drops.clone(), ..Oven::default() };
        let oven = system.register_module(oven).await.unwrap();
        let begun = Instant::now();
        assert_eq!(oven.bake(2 * SECOND).await, Ok(2 * SECOND), "it is in time to the last moment");
        let error = oven.ask(Bake { time: 60 * SECOND }).timeout(60 * SECOND).await.unwrap_err();
        assert_eq!(begun.elapsed(), 4 * SECOND);
        assert_eq!(error, AskError::Overran { module: "oven".to_owned(), handler: "bake", after: 2 * SECOND });
        assert_eq!(
            error.to_string(),
            "`bake` of module `oven` overran its deadline of 2s; what it did before is unknown"
        );
        let report = oven.stopped().await;
        assert_eq!(report.failure, Some(overrun("bake", 2 * SECOND)));
        assert_eq!(report.failure.unwrap().to_string(), "`bake` ran for 2s, its deadline is 2s");
        assert_eq!((drops.count(), log.len()), (2, 0), "no stop hook runs on what cannot be trusted");
        system.shutdown().await;
    });
}

#[test]
fn a_module_whose_handler_overran_is_started_again_and_handles_what_waits_in_order() {
    on_paused(|| async {
        let (system, log) = (System::new(), Log::new());
        let notes = log.clone();
        let build = move |_| Oven { log: notes.clone(), ..Oven::default() };
        let oven = system.register_with(build).restart(AT_ONCE).await.unwrap();
        let mut watch = oven.watch();
        for text in ["a", "b", "c"] {
            oven.send(Bake { time: 3 * SECOND }).await.unwrap();
            oven.send(Note { text }).await.unwrap();
        }
        oven.ask(Note { text: "d" }).no_timeout().await.unwrap();
        assert_eq!(log.all(), ["a", "b", "c", "d"]);
        assert_eq!(oven.incarnation(), 4);
        assert_eq!(watch.next().await.unwrap().reason, Some(overrun("bake", 2 * SECOND)));
        assert_eq!(system.shutdown().await.undelivered, 0);
    });
}

#[test]
fn a_tick_an_event_a_request_and_a_handler_that_answers_itself_have_deadlines_too() {
    on_paused(|| async {
        let (system, ticks) = (System::new(), std::sync::atomic::AtomicBool::new(true));
        let build = move |_| Oven { ticks: ticks.swap(false, std::sync::atomic::Ordering::SeqCst), ..Oven::default() };
        let oven = system.register_with(build).restart(AT_ONCE).await.unwrap();
        let mut watch = oven.watch();
        let mut reason = async || watch.next().await.unwrap().reason.unwrap();
        assert_eq!(reason().await, overrun("clean", 60 * SECOND));

        assert_eq!(oven.bake_later(SECOND).await, Ok(SECOND));
        let error = oven.bake_later(3 * SECOND).await.unwrap_err();
        assert!(matches!(error, AskError::Overran { handler: "bake_later", .. }), "{error}");
        assert_eq!(reason().await, overrun("bake_later", 2 * SECOND));

        let counts: EventCounts = system.publish(Custom::new("now", [])).await;
        assert_eq!((counts.handled, counts.failed), (1, 0));
        let counts = system.publish(Custom::new("never", [])).await;
        assert_eq!((counts.handled, counts.failed), (0, 1));
        assert_eq!(reason().await, overrun("on_order", SECOND));

        let request = |name: &str| system.request("oven", Request::new(name, "{}"));
        request("now").await.unwrap();
        let error = request("never").await.unwrap_err();
        assert!(matches!(error, RequestError::Unanswered(AskError::Overran { .. })), "{error}");
        assert_eq!(reason().await, overrun("handle_request", 3 * SECOND));
        assert_eq!(oven.incarnation(), 5);
        system.shutdown().await;
    });
}

#[test]
fn a_handler_that_blocks_its_thread_has_overrun_when_it_comes_back() {
    for flavor in [Flavor::CurrentThread, Flavor::MultiThread] {
        flavor.run(|| async {
            let system = System::new();
            let oven = system.register_module(Oven::default()).await.unwrap();
            assert!(matches!(oven.burn(Duration::ZERO).await, Ok(7) | Err(AskError::Overran { .. })));
            let oven = system.register_with(|_| Oven::default()).name("other").await.unwrap();
            let time = Duration::from_millis(20);
            let error = oven.burn(time).await.unwrap_err();
            assert!(matches!(error, AskError::Overran { handler: "burn", .. }), "{error}");
            let report = oven.stopped().await;
            let Some(Failure::Overrun { handler: "burn", elapsed, .. }) = report.failure else { panic!("{report:?}") };
            assert!(elapsed >= time, "{elapsed:?}");
            system.shutdown().await;
        });
    }
}

/// Handles its messages in a loop of its own.
#[module]
struct Looper;

#[module]
impl Looper {
    #[handler(Hang, deadline = "1s")]
    async fn hang(&mut self) {
        pending::<()>().await;
    }

    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
        while let Some(message) = inbox.recv().await {
            inbox.dispatch(message, self, ctx).await;
        }
    }
}

#[test]
fn a_deadline_holds_in_a_loop_of_the_modules_own_as_well() {
    on_paused(|| async {
        let system = System::new();
        let looper = system.register_module(Looper).await.unwrap();
        assert!(matches!(looper.hang().await, Err(AskError::Overran { .. })));
        let report = looper.stopped().await;
        assert_eq!((report.state, report.failure), (ModuleState::Failed, Some(overrun("hang", SECOND))));
        system.shutdown().await;
    });
}

#[test]
fn an_overrun_is_logged_once() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let system = System::new();
            let looper = system.register_module(Looper).name("looper").await.unwrap();
            looper.hang().await.unwrap_err();
            looper.stopped().await;
            system.shutdown().await;
        });
    });
    let texts: Vec<_> = events.into_iter().map(|event| event.text).collect();
    assert_eq!(
        texts,
        ["module failed: `hang` ran for 1s, its deadline is 1s module=looper id=1 incarnation=1 undelivered=0"]
    );
}

#[test]
fn a_handler_that_is_in_time_pays_its_deadline_with_nothing_that_stays() {
    on_every_runtime(|| async {
        let (system, drops) = (System::new(), Drops::new());
        let oven = Oven { drops: drops.clone(), ..Oven::default() };
        let oven = system.register_module(oven).await.unwrap();
        for _ in 0..100 {
            assert_eq!(oven.bake(Duration::ZERO).await, Ok(Duration::ZERO));
        }
        assert_eq!((drops.count(), oven.incarnation()), (100, 1));
        assert_eq!(oven.stop().await.unwrap().failure, None);
        system.shutdown().await;
    });
}
