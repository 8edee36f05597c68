//! Checks of a module's health: when they run, what they find, and what follows.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use dms::event::HealthChanged;
use dms::prelude::*;
use dms::recovery::{Backoff, Jitter, Restart};
use dms::{Failure, ModuleState, SystemRef};
use dms_tests::{Drops, Flavor, Log, events_of, eventually, on_every_runtime, on_paused, settle};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Started again one second after each failure.
const RESTART: Restart = Restart::on_failure()
    .max_restarts(1_000, Duration::from_millis(1))
    .backoff(Backoff::new(SECOND, SECOND).jitter(Jitter::None));

/// Started again without a wait.
const AT_ONCE: Restart = Restart::on_failure()
    .max_restarts(u32::MAX, Duration::from_millis(1))
    .backoff(Backoff::new(Duration::ZERO, Duration::ZERO));

/// How the next checks go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    Poor,
    Ill,
    Panics,
    Hangs,
    /// Takes so many seconds.
    Slow(u32),
}

/// What a patient, its checks and the test share.
#[derive(Clone)]
struct Chart {
    mood: Arc<Mutex<Mood>>,
    begun: Instant,
    /// What happened, with the seconds since the beginning.
    log: Log<(u64, String)>,
}

impl Chart {
    fn new() -> Self {
        Self { mood: Arc::new(Mutex::new(Mood::Well)), begun: Instant::now(), log: Log::new() }
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    fn note(&self, what: impl Into<String>) {
        self.log.push((self.begun.elapsed().as_secs(), what.into()));
    }

    /// When something of this name happened.
    fn times(&self, what: &str) -> Vec<u64> {
        self.log.all().into_iter().filter(|(_, name)| name == what).map(|(second, _)| second).collect()
    }

    async fn check(&self) -> HealthStatus {
        self.note("check");
        let mood = *self.mood.lock().unwrap_or_else(PoisonError::into_inner);
        match mood {
            Mood::Well => HealthStatus::Healthy,
            Mood::Poor => HealthStatus::Degraded("pale".to_owned()),
            Mood::Ill => HealthStatus::Unhealthy("fever".to_owned()),
            Mood::Panics => panic!("no pulse"),
            Mood::Hangs => {
                let _noted = Noted(self.clone());
                std::future::pending().await
            }
            Mood::Slow(seconds) => {
                sleep(seconds * SECOND).await;
                self.note("checked");
                HealthStatus::Healthy
            }
        }
    }
}

/// Notes when it is dropped.
struct Noted(Chart);

impl Drop for Noted {
    fn drop(&mut self) {
        self.0.note("dropped");
    }
}

#[module]
struct Patient {
    chart: Chart,
}

#[module]
impl Patient {
    #[init]
    fn init(&self) {
        self.chart.note("init");
    }

    #[health]
    async fn examine(&mut self) -> HealthStatus {
        self.chart.check().await
    }

    /// Takes so many milliseconds.
    #[handler(Work)]
    async fn work(&mut self, millis: u64) {
        sleep(Duration::from_millis(millis)).await;
        self.chart.note("work");
    }

    #[handler(Hang)]
    async fn hang(&mut self) {
        let _noted = Noted(self.chart.clone());
        std::future::pending::<()>().await;
    }

    #[handler(Stumble)]
    fn stumble(&self) {
        panic!("stumbles");
    }

    #[stop]
    fn stop(&self) {
        self.chart.note("stop");
    }
}

async fn patient(system: &SystemRef, chart: &Chart, restart: Restart) -> ModuleRef<Patient> {
    let chart = chart.clone();
    system.register_with(move |_| Patient { chart: chart.clone() }).name("patient").restart(restart).await.unwrap()
}

fn degraded(reason: &str) -> HealthStatus {
    HealthStatus::Degraded(reason.to_owned())
}

fn unhealthy(reason: &str) -> HealthStatus {
    HealthStatus::Unhealthy(reason.to_owned())
}

/// Hears of all changes.
#[module]
struct Nurse {
    log: Log<(String, String, String)>,
}

#[module]
impl Nurse {
    #[event]
    fn on_health(&mut self, change: &HealthChanged) {
        self.log.push((change.module.to_string(), change.from.to_string(), change.to.to_string()));
    }

    #[handler(Heard)]
    fn heard(&self) -> Vec<(String, String)> {
        self.log.take().into_iter().map(|(_, from, to)| (from, to)).collect()
    }
}

async fn nurse(system: &SystemRef) -> ModuleRef<Nurse> {
    system.register_module(Nurse { log: Log::new() }).await.unwrap()
}

fn change(from: &str, to: &str) -> (String, String) {
    (from.to_owned(), to.to_owned())
}

#[test]
fn checks_come_each_interval_and_first_after_one() {
    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = system.register_module(Patient { chart: chart.clone() }).await.unwrap();
        sleep(45 * SECOND).await;
        assert_eq!(chart.times("check"), [10, 20, 30, 40]);
        assert_eq!(module.health(), HealthStatus::Healthy);
        system.shutdown().await;
    });
}

#[test]
fn checks_do_not_drift_and_none_is_begun_while_one_is_under_way() {
    #[module]
    struct Slow {
        chart: Chart,
    }

    #[module(visibility = "")]
    impl Slow {
        #[health(every = "10s", timeout = "1m")]
        async fn health(&mut self) -> HealthStatus {
            self.chart.check().await
        }
    }

    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        chart.set(Mood::Slow(3));
        let module = system.register_module(Slow { chart: chart.clone() }).await.unwrap();
        sleep(25 * SECOND).await;
        chart.set(Mood::Slow(22));
        sleep(37 * SECOND).await;
        // 10 to 13, 20 to 23, 30 to 52; at 40 and 50 it is under way.
        assert_eq!(chart.times("check"), [10, 20, 30, 60]);
        assert_eq!(module.health(), HealthStatus::Healthy);
        system.shutdown().await;
    });
}

#[test]
fn m7_a_check_does_not_wait_behind_ten_thousand_messages() {
    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = system.register_module(Patient { chart: chart.clone() }).await.unwrap();
        for _ in 0..10_000 {
            module.send(Work { millis: 4_000 }).await.unwrap();
        }
        // The handlers end at 4, 8, 12, 16 …: behind the one that runs at 10 comes the check.
        sleep(33 * SECOND).await;
        assert_eq!(chart.times("work"), [4, 8, 12, 16, 20, 24, 28, 32]);
        assert_eq!(chart.times("check"), [12, 20, 32]);
        assert_eq!(module.health(), HealthStatus::Healthy);
        system.shutdown().await;
    });
}

#[test]
fn messages_wait_behind_a_check_until_its_timeout_at_most() {
    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = system.register_module(Patient { chart: chart.clone() }).await.unwrap();
        chart.set(Mood::Hangs);
        sleep(11 * SECOND).await;
        module.work(0).await.unwrap();
        assert_eq!(chart.begun.elapsed(), 15 * SECOND);
        assert_eq!((chart.times("check"), chart.times("dropped")), (vec![10], vec![15]));
        assert_eq!(module.health(), degraded("`examine` took longer than 5s"));
        system.shutdown().await;
    });
}

#[test]
fn two_failures_degrade_the_third_one_restarts_and_two_successes_heal() {
    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = patient(&system, &chart, RESTART).await;
        let mut watch = module.watch();
        chart.set(Mood::Ill);
        sleep(11 * SECOND).await;
        assert_eq!(module.health(), degraded("fever"));
        sleep(10 * SECOND).await;
        assert_eq!(module.health(), degraded("fever"));
        // One success ends the row, and the second one heals.
        chart.set(Mood::Well);
        sleep(10 * SECOND).await;
        assert_eq!(module.health(), degraded("fever"));
        sleep(10 * SECOND).await;
        assert_eq!((module.health(), module.incarnation()), (HealthStatus::Healthy, 1));
        chart.set(Mood::Ill);
        sleep(20 * SECOND).await;
        assert_eq!((module.health(), module.incarnation()), (degraded("fever"), 1));
        let down = watch.next().await.unwrap();
        assert_eq!(chart.begun.elapsed(), 70 * SECOND);
        let failure = Failure::Health { reason: "fever".to_owned(), failures: 3 };
        assert_eq!(failure.to_string(), "failed 3 health checks in a row: fever");
        assert_eq!(down.reason, Some(failure));
        // While it waits it is unhealthy with the reason, and nothing is checked.
        settle().await;
        assert_eq!(module.health(), unhealthy("failed 3 health checks in a row: fever"));
        assert_eq!(module.state(), ModuleState::Created);
        chart.set(Mood::Well);
        module.work(0).await.unwrap();
        assert_eq!((module.health(), module.incarnation()), (HealthStatus::Healthy, 2));
        // It was whole, so it was stopped.
        assert_eq!((chart.times("stop"), chart.times("init")), (vec![70], vec![0, 71]));
        system.shutdown().await;
    });
}

#[test]
fn a_restart_begins_the_checks_anew() {
    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = patient(&system, &chart, RESTART).await;
        chart.set(Mood::Ill);
        // Two failures of the first incarnation do not count for the second one, which begins at 26.
        sleep(25 * SECOND).await;
        module.stumble().await.unwrap_err();
        sleep(10 * SECOND).await;
        assert_eq!((module.health(), module.incarnation()), (HealthStatus::Healthy, 2));
        sleep(12 * SECOND).await;
        assert_eq!((module.health(), module.incarnation()), (degraded("fever"), 2));
        assert_eq!(chart.times("check"), [10, 20, 36, 46]);
        system.shutdown().await;
    });
}

#[test]
fn without_a_policy_an_unhealthy_module_fails_for_good() {
    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = system.register_module(Patient { chart: chart.clone() }).await.unwrap();
        chart.set(Mood::Ill);
        let report = module.stopped().await;
        assert_eq!(chart.begun.elapsed(), 30 * SECOND);
        assert_eq!(report.state, ModuleState::Failed);
        assert_eq!(report.failure, Some(Failure::Health { reason: "fever".to_owned(), failures: 3 }));
        assert_eq!(module.health(), unhealthy("failed 3 health checks in a row: fever"));
        assert_eq!(chart.times("stop"), [30]);
        system.shutdown().await;
    });
}

#[test]
fn a_handler_that_hangs_is_found_out_and_cut_off() {
    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = patient(&system, &chart, RESTART).await;
        let mut watch = module.watch();
        module.send(Hang).await.unwrap();
        module.send(Work { millis: 0 }).await.unwrap();
        sleep(16 * SECOND).await;
        assert_eq!(module.health(), degraded("no answer within 5s: `hang` runs"));
        let down = watch.next().await.unwrap();
        assert_eq!(chart.begun.elapsed(), 35 * SECOND);
        assert_eq!(
            down.reason.unwrap().to_string(),
            "failed 3 health checks in a row: no answer within 5s: `hang` runs"
        );
        // The handler was dropped where it was, no check ran, and what waited is handled by the next incarnation.
        sleep(2 * SECOND).await;
        assert_eq!((chart.times("dropped"), chart.times("check"), chart.times("work")), (vec![35], vec![], vec![36]));
        assert_eq!((module.health(), module.incarnation()), (HealthStatus::Healthy, 2));
        system.shutdown().await;
    });
}

#[test]
fn a_handler_that_takes_long_fails_checks_until_it_ends() {
    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = system.register_module(Patient { chart: chart.clone() }).await.unwrap();
        // The check of 10 has failed at 15, and is not run when the handler ends at 17; that of 20 is answered.
        module.send(Work { millis: 17_000 }).await.unwrap();
        sleep(19 * SECOND).await;
        assert_eq!(module.health(), degraded("no answer within 5s: `work` runs"));
        assert!(chart.times("check").is_empty());
        sleep(12 * SECOND).await;
        assert_eq!((module.health(), chart.times("check")), (HealthStatus::Healthy, vec![20, 30]));
        system.shutdown().await;
    });
}

#[test]
fn a_check_that_panics_has_failed_and_the_module_goes_on() {
    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = patient(&system, &chart, RESTART).await;
        chart.set(Mood::Panics);
        sleep(21 * SECOND).await;
        assert_eq!(module.health(), degraded("`examine` panicked: no pulse"));
        module.work(0).await.unwrap();
        assert_eq!(module.incarnation(), 1);
        let down = module.watch().next().await.unwrap();
        let reason = "`examine` panicked: no pulse".to_owned();
        assert_eq!(down.reason, Some(Failure::Health { reason, failures: 3 }));
        system.shutdown().await;
    });
}

#[test]
fn a_check_that_says_degraded_degrades_at_once_and_never_fails_the_module() {
    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = system.register_module(Patient { chart: chart.clone() }).await.unwrap();
        chart.set(Mood::Poor);
        sleep(1_001 * SECOND).await;
        assert_eq!((module.health(), module.state()), (degraded("pale"), ModuleState::Running));
        assert_eq!(chart.times("check").len(), 100);
        system.shutdown().await;
    });
}

#[test]
fn the_thresholds_the_interval_and_the_timeout_are_those_that_the_attribute_says() {
    #[module]
    struct Strict {
        chart: Chart,
    }

    #[module(visibility = "")]
    impl Strict {
        #[health(every = "1s", timeout = "250ms", failures = 1, successes = 1)]
        async fn health(&mut self) -> HealthStatus {
            self.chart.check().await
        }
    }

    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = system.register_module(Strict { chart: chart.clone() }).await.unwrap();
        chart.set(Mood::Poor);
        sleep(1_100 * SECOND / 1_000).await;
        assert_eq!(module.health(), degraded("pale"));
        chart.set(Mood::Well);
        sleep(SECOND).await;
        assert_eq!(module.health(), HealthStatus::Healthy);
        chart.set(Mood::Hangs);
        let report = module.stopped().await;
        assert_eq!(chart.begun.elapsed(), Duration::from_millis(3_250));
        let failure = report.failure.unwrap();
        assert_eq!(failure.to_string(), "failed its health check: `health` took longer than 250ms");
        system.shutdown().await;
    });
}

/// A module whose check, a plain function, says this.
macro_rules! says {
    ($name:ident, $output:ty, $value:expr) => {
        #[module]
        struct $name;

        #[module(visibility = "")]
        impl $name {
            #[health]
            fn check(&self, ctx: &mut Context<Self>) -> $output {
                let _ = ctx.id();
                $value
            }
        }
    };
}

says!(Yes, bool, true);
says!(No, bool, false);
says!(Fine, Result<(), std::io::Error>, Ok(()));
says!(Wrong, Result<(), &'static str>, Err("no line"));
says!(Tired, Result<HealthStatus, ModuleError>, Ok(degraded("tired")));
says!(Lost, Result<HealthStatus, ModuleError>, Err("no way".into()));

#[test]
fn a_check_returns_a_status_a_bool_or_a_result() {
    on_every_runtime(|| async {
        let system = System::new();
        macro_rules! check {
            ($module:expr) => {
                system.register_module($module).await.unwrap().check_health().await
            };
        }
        assert_eq!(check!(Yes), HealthStatus::Healthy);
        assert_eq!(check!(No), unhealthy("the check says `false`"));
        assert_eq!(check!(Fine), HealthStatus::Healthy);
        assert_eq!(check!(Wrong), unhealthy("no line"));
        assert_eq!(check!(Tired), degraded("tired"));
        assert_eq!(check!(Lost), unhealthy("no way"));
        system.shutdown().await;
    });
}

#[test]
fn each_change_is_told_and_logged_once() {
    let (heard, logged) = events_of(|| {
        Flavor::Paused.run(|| async {
            let (system, chart) = (System::new(), Chart::new());
            let nurse = nurse(&system).await;
            let module = patient(&system, &chart, RESTART).await;
            chart.set(Mood::Ill);
            sleep(25 * SECOND).await;
            chart.set(Mood::Well);
            sleep(20 * SECOND).await;
            chart.set(Mood::Ill);
            while module.incarnation() == 1 {
                sleep(SECOND).await;
            }
            chart.set(Mood::Well);
            sleep(5 * SECOND).await;
            // A failure of another kind is one, too.
            module.stumble().await.unwrap_err();
            sleep(5 * SECOND).await;
            let heard = nurse.heard().await.unwrap();
            system.shutdown().await;
            heard
        })
    });
    let fever = "unhealthy: failed 3 health checks in a row: fever";
    assert_eq!(
        heard,
        [
            change("healthy", "degraded: fever"),
            change("degraded: fever", "healthy"),
            change("healthy", "degraded: fever"),
            change("degraded: fever", "unhealthy: fever"),
            change(fever, "healthy"),
            change("healthy", "unhealthy: panicked in `stumble`: stumbles"),
            change("unhealthy: panicked in `stumble`: stumbles", "healthy"),
        ]
    );
    let logged: Vec<_> = logged.iter().map(|event| format!("{} {}", event.level, event.text)).collect();
    assert_eq!(
        logged,
        [
            "WARN module is degraded module=patient reason=\"fever\"",
            "INFO module is healthy again module=patient",
            "WARN module is degraded module=patient reason=\"fever\"",
            "WARN module failed and is started again: failed 3 health checks in a row: fever module=patient id=2 incarnation=1 delay=1s",
            "INFO module runs again module=patient id=2 incarnation=2",
            "WARN module failed and is started again: panicked in `stumble`: stumbles module=patient id=2 incarnation=2 delay=1s",
            "INFO module runs again module=patient id=2 incarnation=3",
        ]
    );
}

#[test]
fn a_stop_and_a_shutdown_wait_for_a_check_until_its_timeout_at_most() {
    on_paused(|| async {
        for shuts_down in [false, true] {
            let (system, chart) = (System::new(), Chart::new());
            let nurse = nurse(&system).await;
            let module = patient(&system, &chart, RESTART).await;
            chart.set(Mood::Hangs);
            sleep(12 * SECOND).await;
            assert_eq!(chart.times("check"), [10]);
            if shuts_down {
                assert!(system.shutdown().await.complete);
            } else {
                module.stop().await.unwrap();
                assert!(nurse.heard().await.unwrap().is_empty());
            }
            assert_eq!(chart.begun.elapsed(), 15 * SECOND);
            // It fails nobody any more.
            assert_eq!((module.state(), chart.times("stop")), (ModuleState::Stopped, vec![15]));
            system.shutdown().await;
        }
    });
}

#[test]
fn a_module_that_is_drained_is_not_checked() {
    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = patient(&system, &chart, RESTART).await;
        chart.set(Mood::Ill);
        for _ in 0..5 {
            module.send(Work { millis: 8_000 }).await.unwrap();
        }
        sleep(9 * SECOND).await;
        module.drain().await.unwrap();
        assert_eq!((chart.times("check"), chart.times("work").len()), (vec![], 5));
        assert_eq!(module.state(), ModuleState::Stopped);
        system.shutdown().await;
    });
}

#[test]
fn while_a_module_waits_for_its_restart_or_is_initialised_no_check_is_asked() {
    #[module(restart = on_failure, backoff = "25s..25s")]
    struct Late {
        chart: Chart,
    }

    #[module(visibility = "")]
    impl Late {
        #[init]
        async fn init(&self) {
            sleep(25 * SECOND).await;
            self.chart.note("init");
        }

        #[health(every = "1s", failures = 1)]
        async fn health(&mut self) -> HealthStatus {
            self.chart.check().await
        }

        #[handler(Fall)]
        fn fall(&self) {
            panic!("falls");
        }
    }

    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let shared = chart.clone();
        let module = system.register_with(move |_| Late { chart: shared.clone() }).await.unwrap();
        sleep(2 * SECOND + SECOND / 2).await;
        module.fall().await.unwrap_err();
        let (from, to) = (chart.begun.elapsed().as_secs(), 27 + 25 + 25);
        chart.set(Mood::Ill);
        while module.state() != ModuleState::Running {
            assert_eq!(module.health(), unhealthy("panicked in `fall`: falls"));
            assert_eq!(module.check_health().await, unhealthy("panicked in `fall`: falls"));
            sleep(SECOND / 4).await;
        }
        let now = chart.begun.elapsed().as_secs();
        assert!(now - from >= 30 && now <= to, "{now}");
        assert_eq!((module.health(), chart.times("check")), (HealthStatus::Healthy, vec![26, 27]));
        system.shutdown().await;
    });
}

#[test]
fn a_loop_of_the_modules_own_meets_the_check_as_a_message() {
    #[module]
    struct Session {
        chart: Chart,
        ticks: u32,
        tries: bool,
    }

    #[module(visibility = "")]
    impl Session {
        #[health]
        async fn health(&mut self) -> HealthStatus {
            self.chart.check().await
        }

        #[handler(Ticks)]
        fn ticks(&self) -> u32 {
            self.ticks
        }

        #[run]
        async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
            loop {
                if self.tries {
                    while let Some(message) = inbox.try_recv() {
                        inbox.dispatch(message, self, ctx).await;
                    }
                    sleep(SECOND).await;
                    self.ticks += 1;
                    continue;
                }
                tokio::select! {
                    message = inbox.recv() => match message {
                        Some(message) => inbox.dispatch(message, self, ctx).await,
                        None => return,
                    },
                    () = sleep(SECOND) => self.ticks += 1,
                }
            }
        }
    }

    on_paused(|| async {
        for tries in [false, true] {
            let (system, chart) = (System::new(), Chart::new());
            let session = Session { chart: chart.clone(), ticks: 0, tries };
            let module = system.register_module(session).await.unwrap();
            sleep(36 * SECOND).await;
            assert_eq!(chart.times("check"), [10, 20, 30]);
            assert!((30..=36).contains(&module.ticks().await.unwrap()));
            assert_eq!(module.check_health().await, HealthStatus::Healthy);
            chart.set(Mood::Ill);
            assert_eq!(module.check_health().await, unhealthy("fever"));
            system.shutdown_within(10 * SECOND).await;
        }
    });
}

#[test]
fn a_loop_that_does_not_take_its_messages_has_no_answer() {
    #[module]
    struct Deaf;

    #[module(visibility = "")]
    impl Deaf {
        #[health]
        fn health(&self) -> bool {
            true
        }

        #[run]
        async fn run(&mut self, inbox: &mut Inbox<Self>) {
            let _ = inbox;
            std::future::pending::<()>().await;
        }
    }

    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(Deaf).await.unwrap();
        let report = module.stopped().await;
        let reason = "no answer within 5s: `run` runs".to_owned();
        assert_eq!(report.failure, Some(Failure::Health { reason, failures: 3 }));
        system.shutdown().await;
    });
}

#[module]
struct Inline {
    chart: Chart,
}

#[module]
impl Inline {
    #[health(every = "10s")]
    async fn health(&mut self) -> HealthStatus {
        self.chart.check().await
    }

    #[handler(Count, inline)]
    fn count(&self) -> usize {
        self.chart.log.len()
    }
}

#[test]
fn a_module_whose_handlers_run_at_the_askers_is_checked_too() {
    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = system.register_module(Inline { chart: chart.clone() }).await.unwrap();
        for _ in 0..70 {
            sleep(SECOND / 2).await;
            module.count().await.unwrap();
        }
        assert_eq!(chart.times("check"), [10, 20, 30]);
        chart.set(Mood::Hangs);
        sleep(6 * SECOND).await;
        // While the check runs an asker waits, as for any handler.
        module.count().await.unwrap();
        assert_eq!((chart.begun.elapsed(), module.health()), (45 * SECOND, degraded("`health` took longer than 5s")));
        chart.set(Mood::Ill);
        let report = module.stopped().await;
        assert_eq!(report.failure, Some(Failure::Health { reason: "fever".to_owned(), failures: 3 }));
        system.shutdown().await;
    });
}

#[test]
fn an_immediate_check_counts_and_joins_the_one_that_is_under_way() {
    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = patient(&system, &chart, RESTART).await;
        assert_eq!(module.check_health().await, HealthStatus::Healthy);
        chart.set(Mood::Slow(2));
        let (first, second) = tokio::join!(module.check_health(), module.check_health());
        assert_eq!((first, second), (HealthStatus::Healthy, HealthStatus::Healthy));
        assert_eq!((chart.times("check"), chart.begun.elapsed()), (vec![0, 0], 2 * SECOND));
        // It ends at its timeout, though the next check of the schedule is far, and whether or not the module comes to it.
        chart.set(Mood::Hangs);
        assert_eq!(module.check_health().await, unhealthy("`examine` took longer than 5s"));
        assert_eq!((chart.begun.elapsed(), module.health()), (7 * SECOND, degraded("`examine` took longer than 5s")));
        module.send(Work { millis: 8_000 }).await.unwrap();
        settle().await;
        assert_eq!(module.check_health().await, unhealthy("no answer within 5s: `work` runs"));
        assert_eq!(chart.begun.elapsed(), 12 * SECOND);
        // The third one in a row.
        chart.set(Mood::Ill);
        assert_eq!(module.check_health().await, unhealthy("fever"));
        sleep(2 * SECOND).await;
        assert_eq!(module.incarnation(), 2);
        system.shutdown().await;
        assert_eq!(module.check_health().await, unhealthy("it has stopped"));
    });
}

/// Its schedule is of no help to whoever asks.
#[module]
struct Rarely {
    drops: Drops,
}

#[module]
impl Rarely {
    #[health(every = "1h", timeout = "5s")]
    async fn examine(&mut self) -> HealthStatus {
        let _token = self.drops.token();
        std::future::pending().await
    }

    #[handler(Hello)]
    fn hello(&self) {}
}

#[test]
fn a_check_that_nobody_awaits_any_more_ends_at_its_timeout_all_the_same() {
    on_paused(|| async {
        let (system, drops, begun) = (System::new(), Drops::new(), Instant::now());
        let module = system.register_module(Rarely { drops: drops.clone() }).await.unwrap();
        for times in 1..=2 {
            tokio::time::timeout(SECOND, module.check_health()).await.unwrap_err();
            module.hello().no_timeout().await.unwrap();
            assert_eq!((begun.elapsed(), drops.count()), (5 * SECOND * times, times as usize));
            assert_eq!(module.health(), degraded("`examine` took longer than 5s"));
        }
        assert_eq!(system.shutdown().await.undelivered, 0);
    });
}

/// Wakes a thread that polls a future by itself.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[test]
fn a_check_is_asked_for_outside_of_a_runtime() {
    Flavor::MultiThread.run(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = patient(&system, &chart, RESTART).await;
        let asks = thread::spawn(move || {
            let waker = Waker::from(Arc::new(Unpark(thread::current())));
            let mut check = pin!(module.check_health());
            loop {
                match check.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
                    Poll::Ready(said) => return said,
                    Poll::Pending => thread::park(),
                }
            }
        });
        eventually("it is answered", || asks.is_finished()).await;
        assert_eq!(asks.join().unwrap(), HealthStatus::Healthy);
        system.shutdown().await;
    });
}

#[test]
fn a_module_that_is_stopped_answers_who_waits_for_its_check() {
    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let module = patient(&system, &chart, RESTART).await;
        chart.set(Mood::Slow(2));
        let (said, ()) = tokio::join!(module.check_health(), async {
            sleep(SECOND).await;
            module.stop().await.unwrap();
        });
        assert_eq!((said, chart.begun.elapsed()), (HealthStatus::Healthy, 2 * SECOND));
        system.shutdown().await;
    });
}

#[test]
fn a_module_without_checks_is_healthy_while_it_runs() {
    on_paused(|| async {
        let system = System::new();
        let nurse = nurse(&system).await;
        assert_eq!((nurse.health(), nurse.check_health().await), (HealthStatus::Healthy, HealthStatus::Healthy));
        nurse.stop().await.unwrap();
        assert_eq!(nurse.health(), unhealthy("it has stopped"));
        system.shutdown().await;
    });
}

#[test]
fn a_check_may_ask_other_modules_and_register_children() {
    #[module]
    struct Doctor {
        nurse: ModuleRef<Nurse>,
    }

    #[module(visibility = "")]
    impl Doctor {
        #[health]
        async fn health(&mut self, ctx: &mut Context<Self>) -> Result<HealthStatus, ModuleError> {
            self.nurse.heard().await?;
            ctx.register_module(Nurse { log: Log::new() }).await?;
            Ok(HealthStatus::Healthy)
        }
    }

    on_every_runtime(|| async {
        let system = System::new();
        let nurse = nurse(&system).await;
        let module = system.register_module(Doctor { nurse: nurse.clone() }).await.unwrap();
        assert_eq!(module.check_health().await, HealthStatus::Healthy);
        assert_eq!(system.modules().len(), 3);
        nurse.stop().await.unwrap();
        assert!(matches!(module.check_health().await, HealthStatus::Unhealthy(_)));
        system.shutdown().await;
    });
}

#[test]
fn m5_a_check_may_ask_who_has_just_been_answered() {
    #[module]
    struct Answers {
        asker: Arc<Mutex<Option<ModuleRef<Asks>>>>,
    }

    #[module(visibility = "")]
    impl Answers {
        #[health]
        async fn health(&mut self) -> Result<(), ModuleError> {
            let asker = self.asker.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match asker {
                Some(asker) => Ok(asker.hello().await?),
                None => Err("nobody asks".into()),
            }
        }

        #[handler(Take)]
        async fn take(&self, time: Duration) {
            sleep(time).await;
        }
    }

    #[module]
    struct Asks {
        of: ModuleRef<Answers>,
    }

    #[module(visibility = "")]
    impl Asks {
        #[handler(Begin)]
        async fn begin(&self, time: Duration) -> Result<(), ModuleError> {
            Ok(self.of.ask(Take { time }).no_timeout().await?)
        }

        #[handler(Hello)]
        fn hello(&self) {}
    }

    on_paused(|| async {
        let (system, asker) = (System::new(), Arc::new(Mutex::new(None)));
        let answers = system.register_module(Answers { asker: Arc::clone(&asker) }).await.unwrap();
        let asks = system.register_module(Asks { of: answers.clone() }).await.unwrap();
        *asker.lock().unwrap_or_else(PoisonError::into_inner) = Some(asks.clone());
        // The check of 10 comes at once after the handler, whose asker does not know its answer yet.
        asks.ask(Begin { time: 11 * SECOND }).no_timeout().await.unwrap().unwrap();
        sleep(SECOND).await;
        assert_eq!(answers.health(), HealthStatus::Healthy);
        assert_eq!(answers.check_health().await, HealthStatus::Healthy);
        system.shutdown().await;
    });
}

/// Has children, and a health of its own.
#[module]
struct Ward {
    own: Arc<Mutex<HealthStatus>>,
}

#[module]
impl Ward {
    #[health]
    fn health(&self) -> HealthStatus {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[handler(Admit)]
    async fn admit(&self, chart: Chart, name: &'static str, ctx: &mut Context<Self>) -> ModuleRef<Patient> {
        let build = move |_| Patient { chart: chart.clone() };
        ctx.register_with(build).name(name).restart(RESTART).await.unwrap()
    }
}

#[test]
fn the_health_of_a_system_is_a_tree_in_which_the_worst_child_wins() {
    on_paused(|| async {
        let system = System::builder("clinic").build();
        assert_eq!(system.health().to_string(), "clinic: healthy; 100 % of 0 modules are healthy\n");
        let own = Arc::new(Mutex::new(HealthStatus::Healthy));
        let ward = system.register_module(Ward { own: Arc::clone(&own) }).name("ward").await.unwrap();
        let nurse = system.register_module(Nurse { log: Log::new() }).name("nurse").await.unwrap();
        let (ada, bob) = (Chart::new(), Chart::new());
        let first = ward.admit(ada.clone(), "ada").await.unwrap();
        let second = ward.admit(bob.clone(), "bob").await.unwrap();
        assert_eq!(
            system.health().to_string(),
            "clinic: healthy; 100 % of 4 modules are healthy\n\
             ├─ ward: healthy\n\
             │  ├─ ada: healthy\n\
             │  └─ bob: healthy\n\
             └─ nurse: healthy\n"
        );
        bob.set(Mood::Poor);
        second.check_health().await;
        let health = system.health();
        assert_eq!((health.percent, health.summary.healthy, health.summary.degraded), (75, 3, 1));
        assert_eq!(health.status, degraded("ward: bob: pale"));
        assert_eq!(
            (&health.modules[0].own, &health.modules[0].status),
            (&HealthStatus::Healthy, &degraded("bob: pale"))
        );
        let ids: Vec<_> = health.modules.iter().map(|module| module.id).collect();
        assert_eq!(ids, [ward.id(), nurse.id()]);
        // What waits for its restart is unhealthy, and worse than what is degraded, whoever is the older one.
        first.stumble().await.unwrap_err();
        settle().await;
        *own.lock().unwrap_or_else(PoisonError::into_inner) = degraded("crowded");
        ward.check_health().await;
        let health = system.health();
        assert_eq!(
            health.to_string(),
            "clinic: unhealthy: ward: ada: panicked in `stumble`: stumbles; 25 % of 4 modules are healthy\n\
             ├─ ward: unhealthy: ada: panicked in `stumble`: stumbles\n\
             │  ├─ ada (created): unhealthy: panicked in `stumble`: stumbles\n\
             │  └─ bob: degraded: pale\n\
             └─ nurse: healthy\n"
        );
        assert_eq!((health.summary.degraded, health.summary.unhealthy), (2, 1));
        let json = serde_json::to_value(&health).unwrap();
        assert_eq!(json["percent"], 25);
        assert_eq!(json["modules"][0]["own"]["Degraded"], "crowded");
        assert_eq!(json["modules"][0]["children"][0]["state"], "created");
        let reference = system.reference();
        system.shutdown().await;
        drop(system);
        assert!(reference.health().modules.is_empty());
    });
}

/// Checked very often.
#[module]
struct Often {
    checks: Arc<AtomicU32>,
    sum: u64,
    is_ill: bool,
}

#[module]
impl Often {
    #[health(every = "1ms", timeout = "10s")]
    fn health(&mut self) -> bool {
        self.checks.fetch_add(1, Ordering::SeqCst);
        !self.is_ill
    }

    #[handler(Add)]
    fn add(&mut self, number: u64) {
        self.sum += number;
    }

    #[handler(Sum)]
    async fn sum(&mut self) -> u64 {
        tokio::task::yield_now().await;
        self.sum
    }

    #[handler(Sicken)]
    fn sicken(&mut self) {
        self.is_ill = true;
    }
}

#[test]
fn checks_lose_no_message_and_no_wake() {
    on_every_runtime(|| async {
        let (system, checks) = (System::new(), Arc::new(AtomicU32::new(0)));
        let counted = Arc::clone(&checks);
        let build = move |_| Often { checks: Arc::clone(&counted), sum: 0, is_ill: false };
        let module = system.register_with(build).restart(AT_ONCE).await.unwrap();
        let mut senders = Vec::new();
        for _ in 0..2 {
            let module = module.clone();
            senders.push(tokio::spawn(async move {
                for number in 0..2_000 {
                    module.add(number).await.unwrap();
                    module.send(Add { number: 1 }).await.unwrap();
                    if number % 100 == 0 {
                        sleep(Duration::from_millis(3)).await;
                        module.sum().await.unwrap();
                    }
                }
            }));
        }
        for sender in senders {
            sender.await.unwrap();
        }
        assert_eq!(module.sum().await.unwrap(), 2 * (1_999 * 1_000 + 2_000));
        eventually("it is checked", || checks.load(Ordering::SeqCst) > 20).await;
        // The third failure in a row restarts it, on whichever thread.
        module.sicken().await.unwrap();
        eventually("it begins again", || module.incarnation() == 2).await;
        assert_eq!(module.sum().await.unwrap(), 0);
        eventually("it is healthy", || module.health().is_healthy()).await;
        system.shutdown().await;
    });
}

#[test]
fn a_check_that_blocks_its_thread_too_long_has_failed() {
    #[module]
    struct Blocks;

    #[module(visibility = "")]
    impl Blocks {
        #[health(every = "10ms", timeout = "20ms", failures = 1)]
        fn health(&self) -> bool {
            std::thread::sleep(Duration::from_millis(60));
            true
        }
    }

    for flavor in [Flavor::CurrentThread, Flavor::MultiThread] {
        flavor.run(|| async {
            let system = System::new();
            let module = system.register_module(Blocks).await.unwrap();
            let failure = module.stopped().await.failure.unwrap();
            assert_eq!(failure.to_string(), "failed its health check: `health` took longer than 20ms");
            system.shutdown().await;
        });
    }
}

#[test]
fn a_thousand_modules_are_checked() {
    on_paused(|| async {
        let (system, chart) = (System::new(), Chart::new());
        let mut modules = Vec::new();
        for _ in 0..1_000 {
            modules.push(system.register_module(Patient { chart: chart.clone() }).await.unwrap());
        }
        sleep(35 * SECOND).await;
        for second in [10, 20, 30] {
            assert_eq!(chart.times("check").iter().filter(|time| **time == second).count(), 1_000);
        }
        assert!(modules.iter().all(|module| module.health().is_healthy()));
        system.shutdown().await;
    });
}

fn alive() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

#[test]
fn l2_modules_without_checks_have_no_task_for_them_and_those_with_checks_share_one() {
    on_paused(|| async {
        let system = System::new();
        assert_eq!(alive(), 0);
        let nurse = nurse(&system).await;
        assert_eq!(alive(), 1);
        let chart = Chart::new();
        let mut modules = Vec::new();
        for number in 1..=3 {
            modules.push(patient_without_a_name(&system, &chart).await);
            assert_eq!(alive(), 1 + number + 1);
        }
        sleep(25 * SECOND).await;
        for module in modules {
            module.stop().await.unwrap();
        }
        eventually("the driver has ended", || alive() == 1).await;
        nurse.stop().await.unwrap();
        eventually("no task is alive", || alive() == 0).await;
    });
}

async fn patient_without_a_name(system: &SystemRef, chart: &Chart) -> ModuleRef<Patient> {
    system.register_module(Patient { chart: chart.clone() }).await.unwrap()
}
