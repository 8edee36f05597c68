//! Who is told that a module has ended.

use std::time::Duration;

use dms::event::Down;
use dms::prelude::*;
use dms::recovery::{Backoff, Jitter, Restart};
use dms::{Failure, RegisterError};
use dms_tests::{Boom, Log, Note, Puppet, eventually, on_every_runtime, on_paused};

const SECOND: Duration = Duration::from_secs(1);

const RESTART: Restart = Restart::on_failure()
    .max_restarts(2, Duration::from_mins(1))
    .backoff(Backoff::new(SECOND, SECOND).jitter(Jitter::None));

const AT_ONCE: Restart = Restart::on_failure()
    .max_restarts(1_000, Duration::from_millis(1))
    .backoff(Backoff::new(Duration::ZERO, Duration::ZERO));

/// The module, its incarnation, what it failed of, and in how many seconds it is started again.
fn told(down: &Down) -> (String, u32, Option<String>, Option<u64>) {
    let reason = down.reason.as_ref().map(ToString::to_string);
    (down.module.to_string(), down.incarnation, reason, down.restarts_in.map(|delay| delay.as_secs()))
}

/// Hears of all modules.
#[module(name = "undertaker")]
struct Undertaker {
    log: Log<Down>,
}

#[module]
impl Undertaker {
    #[event]
    fn on_down(&mut self, down: &Down) {
        self.log.push(down.clone());
    }
}

/// Hears of the modules that it watches.
#[module(name = "guard")]
struct Guard {
    log: Log<Down>,
    of: ModuleRef<Puppet>,
}

#[module]
impl Guard {
    #[start]
    fn start(&mut self, ctx: &mut Context<Self>) {
        drop(ctx.attach("watch", self.of.watch()));
    }

    #[handler]
    fn down(&mut self, down: Down) {
        self.log.push(down);
    }
}

#[test]
fn each_end_of_an_incarnation_is_told_once_with_its_reason_and_whether_another_one_comes() {
    on_paused(|| async {
        let (system, heard, attached) = (System::new(), Log::new(), Log::new());
        system.register_module(Undertaker { log: heard.clone() }).await.unwrap();
        let module = system.register_with(|_| Puppet::default()).name("a").restart(RESTART).await.unwrap();
        let other = system.register_module(Puppet::default()).name("b").await.unwrap();
        system.register_module(Guard { log: attached.clone(), of: module.clone() }).await.unwrap();
        let (mut watch, mut second) = (module.watch(), module.watch());
        drop(module.watch());
        for text in ["first", "second"] {
            module.send(Boom(text)).await.unwrap();
            module.ask(Note(1)).await.unwrap();
        }
        other.send(Boom("alone")).await.unwrap();
        other.stopped().await;
        module.stop().await.unwrap();
        let a = |incarnation, text: Option<&str>, delay| {
            ("a".to_owned(), incarnation, text.map(|text| format!("panicked in `Boom`: {text}")), delay)
        };
        let expected = [a(1, Some("first"), Some(1)), a(2, Some("second"), Some(1)), a(3, None, None)];
        for watch in [&mut watch, &mut second] {
            for expected in &expected {
                assert_eq!(&told(&watch.next().await.unwrap()), expected);
            }
            assert_eq!(watch.next().await, None);
        }
        eventually("all is heard", || heard.len() == 4 && attached.len() == 3).await;
        assert_eq!(attached.all().iter().map(told).collect::<Vec<_>>(), expected);
        let b = ("b".to_owned(), 1, Some("panicked in `Boom`: alone".to_owned()), None);
        let [first, second, last] = expected;
        assert_eq!(heard.all().iter().map(told).collect::<Vec<_>>(), [first, second, b, last]);
        system.shutdown().await;
    });
}

#[test]
fn who_watches_a_module_that_has_ended_is_told_of_its_last_end() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        module.send(Boom("boom")).await.unwrap();
        module.stopped().await;
        for _ in 0..2 {
            let mut watch = module.watch();
            let down = watch.next().await.unwrap();
            assert!(matches!(down.reason, Some(Failure::Panic { .. })));
            assert_eq!((down.id, watch.next().await), (module.id(), None));
        }
        system.shutdown().await;
    });
}

#[test]
fn who_begins_to_watch_as_the_module_ends_is_told_once() {
    on_every_runtime(|| async {
        let system = System::new();
        for _ in 0..200 {
            let module = system.register_module(Puppet::default()).await.unwrap();
            let watched = module.clone();
            let watching = tokio::spawn(async move {
                let mut ends = 0;
                for _ in 0..8 {
                    let mut watch = watched.watch();
                    while watch.next().await.is_some() {
                        ends += 1;
                    }
                }
                ends
            });
            tokio::task::yield_now().await;
            module.stop().await.unwrap();
            assert_eq!(watching.await.unwrap(), 8);
        }
        system.shutdown().await;
    });
}

#[test]
fn of_a_crash_loop_every_end_is_told_in_order() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_with(|_| Puppet::default()).restart(AT_ONCE).await.unwrap();
        let mut watch = module.watch();
        for _ in 0..500 {
            module.send(Boom("boom")).await.unwrap();
        }
        for incarnation in 1..=500 {
            assert_eq!(watch.next().await.unwrap().incarnation, incarnation);
        }
        module.stop().await.unwrap();
        assert_eq!(watch.next().await.unwrap().incarnation, 501);
        assert_eq!(watch.next().await, None);
        system.shutdown().await;
    });
}

#[test]
fn of_a_registration_that_fails_no_module_hears() {
    on_every_runtime(|| async {
        let (system, heard) = (System::new(), Log::new());
        let undertaker = system.register_module(Undertaker { log: heard.clone() }).await.unwrap();
        let fails = Puppet::default().on_start(|_| Box::pin(async { Err("no".into()) }));
        let error = system.register_module(fails).await.unwrap_err();
        assert!(matches!(error, RegisterError::Hook { .. }));
        undertaker.drain().await.unwrap();
        assert!(heard.is_empty(), "{:?}", heard.all());
        system.shutdown().await;
    });
}
