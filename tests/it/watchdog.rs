//! Who looks for handlers that do not end.

use std::future::pending;
use std::sync::mpsc;
use std::time::Duration;

use dms::event::HandlerStuck;
use dms::prelude::*;
use dms::recovery::{Backoff, Restart};
use dms_tests::{Flavor, Log, Note, Puppet, act, events_of, eventually, on_every_runtime, on_paused, settle};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Hears of what is stuck.
#[module(name = "pager")]
struct Pager {
    log: Log<(Instant, HandlerStuck)>,
}

#[module]
impl Pager {
    #[event]
    fn on_stuck(&mut self, stuck: &HandlerStuck) {
        self.log.push((Instant::now(), stuck.clone()));
    }
}

/// Takes its time.
#[module(name = "mill")]
struct Mill;

#[module]
impl Mill {
    #[handler(Grind)]
    async fn grind(&mut self, time: Duration) {
        sleep(time).await;
    }

    #[handler(Block)]
    fn block(&mut self, until: mpsc::Receiver<()>) {
        let _ = until.recv();
    }

    #[handler(Look, inline)]
    fn look(&self) {}
}

async fn watched(after: Duration) -> (System, Log<(Instant, HandlerStuck)>) {
    let (system, log) = (System::builder("watched").watchdog(after).build(), Log::new());
    system.register_module(Pager { log: log.clone() }).await.unwrap();
    (system, log)
}

#[test]
fn a_handler_that_does_not_end_is_told_of_once_and_again_at_each_doubling_of_the_time() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let (system, log) = watched(4 * SECOND).await;
            let mill = system.register_module(Mill).await.unwrap();
            let begun = Instant::now();
            mill.send(Grind { time: 30 * SECOND }).await.unwrap();
            mill.send(Grind { time: SECOND }).await.unwrap();
            mill.ask(Grind { time: SECOND }).no_timeout().await.unwrap();
            let told: Vec<_> = log
                .all()
                .into_iter()
                .map(|(at, stuck)| {
                    assert_eq!((stuck.module.to_string().as_str(), stuck.handler, stuck.depth), ("mill", "grind", 2));
                    assert_eq!(stuck.id, mill.id());
                    ((at - begun).as_secs(), stuck.elapsed.as_secs())
                })
                .collect();
            assert_eq!(told, [(5, 4), (9, 8), (17, 16)]);
            system.shutdown().await;
        });
    });
    let warned = events.iter().filter(|event| event.text.starts_with("a handler does not end"));
    let texts: Vec<_> = warned.map(|event| event.text.clone()).collect();
    assert_eq!(texts.len(), 3, "{events:?}");
    assert_eq!(texts[0], "a handler does not end module=mill handler=\"grind\" elapsed=4s depth=2");
}

#[test]
fn who_is_busy_but_comes_on_or_waits_for_messages_is_not_told_of() {
    on_paused(|| async {
        let (system, log) = watched(4 * SECOND).await;
        let mill = system.register_module(Mill).await.unwrap();
        for _ in 0..20 {
            mill.send(Grind { time: 3 * SECOND }).await.unwrap();
        }
        mill.ask(Grind { time: SECOND }).no_timeout().await.unwrap();
        mill.look().await.unwrap();
        sleep(100 * SECOND).await;
        mill.look().await.unwrap();
        sleep(100 * SECOND).await;
        assert!(log.is_empty(), "{log:?}");
        system.shutdown().await;
    });
}

#[test]
fn the_handler_of_an_open_set_of_messages_and_the_rest_of_a_batch_after_a_restart_are_seen_as_well() {
    on_paused(|| async {
        let (system, log) = watched(4 * SECOND).await;
        let restart = Restart::on_failure().backoff(Backoff::new(Duration::ZERO, Duration::ZERO));
        let puppet = system.register_with(|_| Puppet::default()).name("puppet").restart(restart).await.unwrap();
        puppet.send(dms_tests::Boom("boom")).await.unwrap();
        puppet.send(act(pending::<()>())).await.unwrap();
        puppet.send(Note(1)).await.unwrap();
        sleep(6 * SECOND).await;
        let told = log.take();
        assert_eq!((told.len(), told[0].1.handler, puppet.incarnation()), (1, "Do", 2));
        puppet.kill().await;
        puppet.ask(Note(2)).await.unwrap();
        sleep(20 * SECOND).await;
        assert!(log.is_empty(), "{log:?}");
        system.shutdown().await;
    });
}

#[test]
fn hooks_that_do_not_end_are_seen() {
    on_paused(|| async {
        let (system, log) = watched(4 * SECOND).await;
        let slow = || {
            Box::pin(async {
                sleep(6 * SECOND).await;
                Ok(())
            })
        };
        let puppet = Puppet::default().on_init(move |_| slow()).on_start(move |_| slow()).on_stop(move |_| slow());
        let puppet = system.register_module(puppet).await.unwrap();
        puppet.stop().await.unwrap();
        let told: Vec<_> = log.take().into_iter().map(|(_, stuck)| stuck.handler).collect();
        assert_eq!(told, ["init", "start", "stop"]);
        system.shutdown().await;
    });
}

#[test]
fn a_handler_that_blocks_its_thread_is_seen_from_another_one() {
    Flavor::MultiThread.run(|| async {
        let (system, log) = watched(Duration::from_millis(20)).await;
        let mill = system.register_module(Mill).await.unwrap();
        let (release, until) = mpsc::channel();
        mill.send(Block { until }).await.unwrap();
        eventually("it is told of", || !log.is_empty()).await;
        assert_eq!(log.take()[0].1.handler, "block");
        release.send(()).unwrap();
        system.shutdown().await;
    });
}

#[test]
fn a_system_without_modules_has_no_task_for_it_and_a_shutdown_leaves_none() {
    on_every_runtime(|| async {
        let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let before = alive();
        let system = System::builder("watched").watchdog(SECOND).build();
        for _ in 0..3 {
            let mill = system.register_module(Mill).await.unwrap();
            mill.stop().await.unwrap();
            eventually("all tasks have ended", || alive() == before).await;
        }
        system.register_module(Mill).await.unwrap();
        settle().await;
        system.shutdown().await;
        // The runtime counts a task that has ended a moment longer.
        eventually("all tasks have ended", || alive() == before).await;
    });
}
