//! `#[run]` and `Inbox`: a module that drives its own loop.

use std::time::Duration;

use dms::prelude::*;
use dms::{Failure, MessageSet, ModuleState};
use dms_tests::{Log, eventually, on_every_runtime, on_paused, settle};
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);

/// Works while no message comes, and takes part in what comes.
#[module]
struct Session {
    log: Log<u64>,
    idle: u64,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Takes turns between messages and other work.
    Select,
    /// Looks for messages without waiting.
    TryRecv,
    /// Reads the enum itself.
    Match,
    /// Takes three messages at a time, and handles them in the order in which they came.
    Hoard,
    /// Returns an error at the first message.
    Fails,
    /// Hands over to the loop of every module.
    Serve,
}

#[module]
impl Session {
    #[handler(Add)]
    async fn add(&mut self, number: u64) -> u64 {
        tokio::task::yield_now().await;
        self.log.push(number);
        number
    }

    #[handler(Idle)]
    fn idle(&self) -> u64 {
        self.idle
    }

    #[handler(Burst)]
    fn burst(&mut self) {
        std::panic::resume_unwind(Box::new("in the loop"));
    }

    #[stop]
    fn stop(&mut self) {
        self.log.push(999);
    }

    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        match self.kind {
            Kind::Select => loop {
                tokio::select! {
                    message = inbox.recv() => match message {
                        Some(message) => inbox.dispatch(message, self, ctx).await,
                        None => return Ok(()),
                    },
                    () = sleep(10 * MS) => self.idle += 1,
                }
            },
            Kind::TryRecv => {
                while let Some(message) = inbox.recv().await {
                    inbox.dispatch(message, self, ctx).await;
                    while let Some(message) = inbox.try_recv() {
                        inbox.dispatch(message, self, ctx).await;
                    }
                    // Whatever waited has been handled now.
                    self.log.push(777);
                }
                Ok(())
            }
            Kind::Match => {
                while let Some(message) = inbox.recv().await {
                    assert!(!message.name().is_empty());
                    match message {
                        SessionMessage::Add(Add { number }, reply) => reply.send(number * 2),
                        SessionMessage::Idle(Idle, reply) => drop(reply),
                        burst @ SessionMessage::Burst(..) => inbox.dispatch(burst, self, ctx).await,
                    }
                }
                Ok(())
            }
            Kind::Hoard => {
                let mut hoard = Vec::new();
                while let Some(message) = inbox.recv().await {
                    hoard.push(message);
                    if hoard.len() == 3 {
                        for message in hoard.drain(..) {
                            inbox.dispatch(message, self, ctx).await;
                        }
                    }
                }
                Ok(())
            }
            Kind::Fails => {
                drop(inbox.recv().await);
                Err("enough".into())
            }
            Kind::Serve => inbox.serve(self, ctx).await,
        }
    }
}

async fn session(system: &System, kind: Kind) -> (ModuleRef<Session>, Log<u64>) {
    let log = Log::new();
    let module = system.register_module(Session { log: log.clone(), idle: 0, kind }).await.unwrap();
    (module, log)
}

#[test]
fn a_loop_of_its_own_takes_turns_with_messages() {
    on_paused(|| async {
        let system = System::new();
        let (module, log) = session(&system, Kind::Select).await;
        sleep(95 * MS).await;
        assert_eq!(module.idle().await, Ok(9));
        for number in 0..1_000 {
            module.send(Add { number }).await.unwrap();
        }
        assert_eq!(module.add(1_000).await, Ok(1_000));
        module.stop().await.unwrap();
        assert_eq!(log.all(), (0..=1_000).chain([999]).collect::<Vec<_>>());
    });
}

#[test]
fn receiving_is_cancel_safe() {
    on_every_runtime(|| async {
        let system = System::new();
        let (module, log) = session(&system, Kind::Select).await;
        // The other branch wins again and again in the midst of messages.
        for number in 0..100 {
            module.send(Add { number }).await.unwrap();
            sleep(Duration::from_micros(number * 150)).await;
        }
        assert_eq!(module.drain().await.unwrap().undelivered, 0);
        assert_eq!(log.all(), (0..100).chain([999]).collect::<Vec<_>>());
    });
}

#[test]
fn try_recv_gives_messages_as_long_as_any_waits() {
    on_every_runtime(|| async {
        let system = System::new();
        let (module, log) = session(&system, Kind::TryRecv).await;
        // All of it waits before the loop first looks, and is more than a turn's budget.
        let (tx, rx) = tokio::sync::oneshot::channel::<()>();
        let blocker = tokio::spawn({
            let module = module.clone();
            async move {
                for number in 0..600 {
                    module.try_send(Add { number }).unwrap();
                }
                tx.send(()).unwrap();
            }
        });
        rx.await.unwrap();
        blocker.await.unwrap();
        module.drain().await.unwrap();
        let all = log.all();
        assert_eq!(all.iter().filter(|entry| **entry < 600).count(), 600);
        let rounds = all.iter().filter(|entry| **entry == 777).count();
        if tokio::runtime::Handle::current().runtime_flavor() == tokio::runtime::RuntimeFlavor::CurrentThread {
            assert_eq!(rounds, 1, "it was never told that nothing waits while something did");
        }
        assert!(rounds >= 1);
    });
}

#[test]
fn a_session_may_match_on_the_typed_messages() {
    on_every_runtime(|| async {
        let system = System::new();
        let (module, log) = session(&system, Kind::Match).await;
        assert_eq!(module.add(21).await, Ok(42));
        assert!(matches!(module.idle().no_timeout().await, Err(AskError::NoReply { handler: "idle", .. })));
        module.stop().await.unwrap();
        assert_eq!(log.all(), [999]);
    });
}

#[test]
fn messages_taken_and_not_handled_yet_keep_their_asks_open_and_their_deadline() {
    on_paused(|| async {
        let system = System::new();
        let (module, _) = session(&system, Kind::Hoard).await;
        let begun = Instant::now();
        let first = tokio::spawn({
            let module = module.clone();
            async move { module.add(1).await }
        });
        settle().await;
        sleep(3_000 * MS).await;
        let second = tokio::spawn({
            let module = module.clone();
            async move { module.add(2).await }
        });
        settle().await;
        assert!(matches!(first.await.unwrap(), Err(AskError::Timeout { .. })));
        assert!((5_000..=5_500).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
        assert_eq!(module.add(3).await, Ok(3));
        assert_eq!(second.await.unwrap(), Ok(2));
        system.shutdown().await;
    });
}

#[test]
fn a_loop_that_returns_stops_its_module_and_its_error_is_the_modules_failure() {
    on_every_runtime(|| async {
        let system = System::new();
        let (module, log) = session(&system, Kind::Fails).await;
        assert!(matches!(module.add(1).no_timeout().await, Err(AskError::NoReply { .. })));
        let report = module.stopped().await;
        assert_eq!(report.state, ModuleState::Failed);
        assert_eq!(report.failure, Some(Failure::Hook { hook: "run", text: "enough".to_owned() }));
        assert_eq!(log.all(), [999], "a loop that fails is no panic: the stop hook runs");
        system.shutdown().await;
    });
}

#[test]
fn a_panic_in_the_loop_loses_no_other_message() {
    on_every_runtime(|| async {
        let system = System::new();
        let (module, log) = session(&system, Kind::Select).await;
        let mut accepted = 0;
        for number in 0..3 {
            module.try_send(Add { number }).unwrap();
            accepted += 1;
        }
        module.try_send(Burst).unwrap();
        for number in 3..10 {
            accepted += u64::from(module.try_send(Add { number }).is_ok());
        }
        let report = module.stopped().await;
        assert_eq!(log.all(), [0, 1, 2]);
        assert_eq!(accepted, 3 + report.undelivered);
        assert_eq!(report.failure, Some(Failure::Panic { place: "burst".to_owned(), text: "in the loop".to_owned() }));
        system.shutdown().await;
    });
}

#[test]
fn a_stop_ends_the_loop_and_the_rest_is_undelivered() {
    on_every_runtime(|| async {
        for kind in [Kind::Select, Kind::Match, Kind::Serve, Kind::TryRecv] {
            let system = System::new();
            let (module, log) = session(&system, kind).await;
            module.send(Add { number: 1 }).await.unwrap();
            eventually("it works", || !log.is_empty() || kind == Kind::Match).await;
            let report = module.stop().await.unwrap();
            assert_eq!((report.state, report.failure), (ModuleState::Stopped, None));
            assert_eq!(log.all().last(), Some(&999));
            system.shutdown().await;
        }
    });
}

#[test]
fn serve_is_the_loop_of_every_module() {
    on_every_runtime(|| async {
        let system = System::new();
        let (module, log) = session(&system, Kind::Serve).await;
        for number in 0..500 {
            module.send(Add { number }).await.unwrap();
        }
        assert_eq!(module.add(500).await, Ok(500));
        system.shutdown().await;
        assert_eq!(log.all(), (0..=500).chain([999]).collect::<Vec<_>>());
    });
}
