//! When a module is checked, as its registration says; and checks that say nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dms::prelude::*;
use dms::recovery::{Backoff, HealthSchedule, HealthThresholds, Restart};
use dms::{Failure, RegisterError};
use dms_tests::{Log, on_paused};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Each second, for half of one, two failures are too many and one success heals.
const OFTEN: HealthSchedule = HealthSchedule {
    every: SECOND,
    timeout: Duration::from_millis(500),
    thresholds: HealthThresholds { failures: 2, successes: 1 },
};

const AT_ONCE: Restart = Restart::on_failure()
    .max_restarts(u32::MAX, Duration::from_millis(1))
    .backoff(Backoff::new(Duration::ZERO, Duration::ZERO));

#[derive(Clone, Default)]
struct Says(Arc<Mutex<Option<HealthStatus>>>);

impl Says {
    fn set(&self, status: Option<HealthStatus>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    fn get(&self) -> Option<HealthStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[module(flags(HOT_RELOADABLE))]
#[derive(Clone)]
struct Patient {
    says: Says,
    checks: Log<u64>,
    begun: Instant,
}

#[module]
impl Patient {
    #[health]
    async fn examine(&self) -> Option<HealthStatus> {
        self.checks.push(self.begun.elapsed().as_secs());
        let said = self.says.get();
        if said.as_ref().and_then(HealthStatus::reason) == Some("hangs") {
            std::future::pending::<()>().await;
        }
        said
    }
}

fn patient() -> Patient {
    Patient { says: Says::default(), checks: Log::new(), begun: Instant::now() }
}

fn unhealthy(reason: &str) -> HealthStatus {
    HealthStatus::Unhealthy(reason.to_owned())
}

fn degraded(reason: &str) -> HealthStatus {
    HealthStatus::Degraded(reason.to_owned())
}

#[test]
fn a_registration_says_when_a_module_is_checked_and_how_many_checks_decide() {
    on_paused(|| async {
        let (system, patient) = (System::new(), patient());
        let (says, checks, begun) = (patient.says.clone(), patient.checks.clone(), patient.begun);
        let module = system.register_module(patient).health_schedule(OFTEN).await.unwrap();
        says.set(Some(HealthStatus::Healthy));
        sleep(3_500 * SECOND / 1_000).await;
        assert_eq!(checks.take(), [1, 2, 3]);
        says.set(Some(unhealthy("fever")));
        sleep(SECOND).await;
        assert_eq!(module.health(), degraded("fever"));
        says.set(Some(HealthStatus::Healthy));
        sleep(SECOND).await;
        assert_eq!(module.health(), HealthStatus::Healthy, "one success heals");
        says.set(Some(unhealthy("hangs")));
        sleep(SECOND).await;
        assert_eq!(module.health(), HealthStatus::Healthy, "its time is not over");
        sleep(SECOND / 2).await;
        assert_eq!(module.health(), degraded("`examine` took longer than 500ms"));
        let report = module.stopped().await;
        assert_eq!(begun.elapsed(), 7_500 * SECOND / 1_000);
        let reason = "`examine` took longer than 500ms".to_owned();
        assert_eq!(report.failure, Some(Failure::Health { reason, failures: 2 }), "the second failure is too many");
        system.shutdown().await;
    });
}

#[test]
fn restarts_and_reloads_keep_the_schedule_of_the_registration() {
    on_paused(|| async {
        let (system, patient) = (System::new(), patient());
        let (says, checks) = (patient.says.clone(), patient.checks.clone());
        let (again, other) = (patient.clone(), patient.clone());
        let module =
            system.register_with(move |_| again.clone()).restart(AT_ONCE).health_schedule(OFTEN).await.unwrap();
        says.set(Some(unhealthy("fever")));
        sleep(2_500 * SECOND / 1_000).await;
        assert_eq!((module.incarnation(), checks.take()), (2, vec![1, 2]));
        says.set(Some(HealthStatus::Healthy));
        sleep(2 * SECOND).await;
        assert_eq!(checks.take(), [3, 4]);
        module.reload(other).await.unwrap();
        sleep(2_200 * SECOND / 1_000).await;
        assert_eq!((module.incarnation(), checks.take()), (3, vec![5, 6]));
        system.shutdown().await;
    });
}

#[test]
fn what_nobody_asks_for_is_never_checked_where_the_interval_is_the_longest() {
    on_paused(|| async {
        let (system, patient) = (System::new(), patient());
        let (says, checks) = (patient.says.clone(), patient.checks.clone());
        let never = HealthSchedule { every: Duration::MAX, timeout: Duration::MAX, ..HealthSchedule::DEFAULT };
        let module = system.register_module(patient).health_schedule(never).await.unwrap();
        sleep(3_600 * SECOND).await;
        assert!(checks.is_empty());
        says.set(Some(unhealthy("fever")));
        assert_eq!(module.check_health().await, unhealthy("fever"));
        assert_eq!(module.health(), degraded("fever"));
        system.shutdown().await;
    });
}

#[test]
fn a_module_without_a_check_is_not_registered_with_a_schedule() {
    #[module]
    struct Mute;
    #[module(visibility = "")]
    impl Mute {}

    on_paused(|| async {
        let system = System::new();
        let error = system.register_module(Mute).health_schedule(OFTEN).await.unwrap_err();
        assert!(matches!(&error, RegisterError::NoHealthCheck { module } if module == "Mute"), "{error:?}");
        let error = system.register_with(|_| Mute).name("quiet").health_schedule(OFTEN).await.unwrap_err();
        assert!(error.to_string().starts_with("module `quiet` has no health check"), "{error}");
        let (one, other) = (system.register_module(patient()), system.register_module(Mute).health_schedule(OFTEN));
        let error = system.register_all((one, other)).await.unwrap_err();
        assert!(matches!(error, RegisterError::NoHealthCheck { .. }), "{error:?}");
        assert_eq!(system.modules().len(), 0, "nothing is left of the set");
        system.shutdown().await;
    });
}

#[test]
fn a_check_that_says_nothing_does_not_count() {
    on_paused(|| async {
        let (system, patient) = (System::new(), patient());
        let (says, checks) = (patient.says.clone(), patient.checks.clone());
        let module = system.register_module(patient).health_schedule(OFTEN).await.unwrap();
        says.set(Some(unhealthy("fever")));
        sleep(1_500 * SECOND / 1_000).await;
        says.set(None);
        sleep(4 * SECOND).await;
        assert_eq!(checks.take(), [1, 2, 3, 4, 5]);
        assert_eq!(module.health(), degraded("fever"), "it is no success");
        assert_eq!(module.check_health().await, degraded("fever"), "who asks is told what is known");
        says.set(Some(unhealthy("fever")));
        sleep(SECOND).await;
        assert!(matches!(module.stopped().await.failure, Some(Failure::Health { failures: 2, .. })), "it ends no row");
        system.shutdown().await;
    });
}
