//! What is decided after a failure: delays, restarts, what is restarted with what, and health.

use std::time::Duration;

use dms::recovery::{
    Backoff, Decision, Delays, Exit, HealthMonitor, HealthStatus, HealthSummary, HealthThresholds, Jitter,
    RecentRestarts, Restart, RestartIntensity, RestartPolicy, Strategy, Supervision,
};
use dms_tests::cases;
use proptest::prelude::{
    Just, ProptestConfig, Strategy as _, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use tokio::time::Instant;

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);

fn config() -> ProptestConfig {
    ProptestConfig { cases: cases(256, 5_000), failure_persistence: None, ..ProptestConfig::default() }
}

// ---- delays ----

#[test]
fn a_delay_doubles_up_to_the_cap() {
    const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(30));
    let ceilings: Vec<_> = (0..10).map(|attempt| BACKOFF.ceiling(attempt).as_millis()).collect();
    assert_eq!(ceilings, [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000]);
}

#[test]
fn the_delay_of_the_last_attempt_that_can_be_counted_is_the_cap() {
    for cap in [Duration::ZERO, Duration::from_nanos(1), 30 * S, Duration::MAX] {
        for initial in [Duration::from_nanos(1), 100 * MS, Duration::MAX] {
            for jitter in [Jitter::None, Jitter::Equal, Jitter::Full] {
                let backoff = Backoff::new(initial, cap).jitter(jitter);
                assert_eq!(backoff.ceiling(u32::MAX), cap);
                assert_eq!(backoff.delay(u32::MAX, u64::MAX), cap);
                assert!(backoff.delay(u32::MAX, 0) <= cap);
            }
        }
        assert_eq!(Backoff::new(Duration::ZERO, cap).ceiling(u32::MAX), Duration::ZERO, "what never waits never does");
    }
}

#[test]
fn failures_without_end_never_overflow() {
    let mut delays = Delays::new(Backoff::new(Duration::from_nanos(1), Duration::MAX).jitter(Jitter::None));
    let longest = (0..10_000).map(|_| delays.after_run(Duration::ZERO, 0)).max();
    assert_eq!(longest, Some(Duration::MAX));
    assert_eq!(delays.attempt(), 10_000);
}

#[test]
fn a_stable_run_begins_the_delays_again_and_one_nanosecond_less_does_not() {
    let backoff = Backoff::new(S, 60 * S).jitter(Jitter::None).stable_after(10 * S);
    let mut delays = Delays::new(backoff);
    assert_eq!([Duration::ZERO, S, S].map(|ran_for| delays.after_run(ran_for, 0)), [S, 2 * S, 4 * S]);
    assert_eq!(delays.after_run(Duration::new(9, 999_999_999), 0), 8 * S);
    assert_eq!(delays.after_run(10 * S, 0), S);
    assert_eq!(delays.after_run(S, 0), 2 * S);
}

fn duration() -> impl proptest::strategy::Strategy<Value = Duration> {
    prop_oneof![
        4 => (0..100_000_000_000_u64).prop_map(Duration::from_nanos),
        1 => (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_delay_is_that_of_doubling_step_by_step(initial in duration(), cap in duration(), attempt in prop_oneof![0..200_u32, any::<u32>()]) {
        let doubled = (0..attempt.min(200)).fold(initial, |delay, _| delay.saturating_mul(2));
        prop_assert_eq!(Backoff::new(initial, cap).ceiling(attempt), doubled.min(cap));
    }

    #[test]
    fn jitter_stays_within_its_bounds(initial in duration(), cap in duration(), attempt in 0..100_u32, random in any::<u64>()) {
        let backoff = Backoff::new(initial, cap);
        let ceiling = backoff.ceiling(attempt);
        prop_assert!(backoff.jitter(Jitter::Full).delay(attempt, random) <= ceiling);
        let equal = backoff.jitter(Jitter::Equal).delay(attempt, random);
        prop_assert!(ceiling / 2 <= equal && equal <= ceiling);
        prop_assert_eq!(backoff.jitter(Jitter::None).delay(attempt, random), ceiling);
        prop_assert!(backoff.delay(attempt, 0) <= backoff.delay(attempt, random) && backoff.delay(attempt, random) <= backoff.delay(attempt, u64::MAX));
    }
}

// ---- how often is too often ----

/// As OTP's `supervisor:add_restart`: all restarts are kept, and counted anew each time.
struct NaiveRestarts {
    intensity: RestartIntensity,
    all: Vec<Instant>,
}

impl NaiveRestarts {
    fn allow(&mut self, now: Instant) -> bool {
        let allowed = self.all.iter().filter(|time| now - **time <= self.intensity.within).count()
            < self.intensity.max_restarts as usize;
        if allowed {
            self.all.push(now);
        }
        allowed
    }
}

#[test]
fn five_restarts_within_the_window_happen_and_the_sixth_failure_escalates() {
    let begin = Instant::now();
    for step in [Duration::ZERO, MS, 2 * S] {
        let mut restarts = RecentRestarts::new(RestartIntensity::new(5, 10 * S));
        let allowed: Vec<_> = (0..6).map(|failure| restarts.allow(begin + step * failure)).collect();
        assert_eq!(allowed, [true, true, true, true, true, false], "a failure each {step:?}");
        assert_eq!(restarts.count(begin + step * 5), 5);
    }
}

#[test]
fn a_restart_counts_up_to_the_end_of_the_window_and_not_longer() {
    let begin = Instant::now();
    let mut restarts = RecentRestarts::new(RestartIntensity::new(1, 10 * S));
    assert!(restarts.allow(begin));
    assert!(!restarts.allow(begin + 10 * S));
    assert!(restarts.allow(begin + 10 * S + Duration::from_nanos(1)));
}

#[test]
fn with_no_restart_allowed_the_first_failure_escalates() {
    assert!(!RecentRestarts::new(RestartIntensity::new(0, S)).allow(Instant::now()));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn restarts_are_counted_as_by_who_keeps_all_of_them(
        max_restarts in 0..6_u32,
        within in 0..50_u64,
        gaps in prop::collection::vec(0..20_u64, 1..100),
    ) {
        let intensity = RestartIntensity::new(max_restarts, Duration::from_millis(within));
        let mut restarts = RecentRestarts::new(intensity);
        let mut naive = NaiveRestarts { intensity, all: Vec::new() };
        let mut now = Instant::now();
        for gap in gaps {
            now += Duration::from_millis(gap);
            prop_assert_eq!(restarts.allow(now), naive.allow(now));
            prop_assert!(restarts.count(now) <= max_restarts as usize);
        }
    }
}

// ---- what is restarted with what ----

#[test]
fn policies_restart_after_what_otp_restarts_after() {
    let restarts =
        |policy: RestartPolicy| [Exit::Normal, Exit::Failure, Exit::Shutdown].map(|exit| policy.restarts(exit));
    assert_eq!(restarts(RestartPolicy::Never), [false, false, false]);
    assert_eq!(restarts(RestartPolicy::OnFailure), [false, true, false]);
    assert_eq!(restarts(RestartPolicy::Always), [true, true, false]);
    assert_eq!(RestartPolicy::default(), RestartPolicy::Never);
}

#[test]
fn a_strategy_stops_whom_it_names_the_youngest_first() {
    let stops = |strategy: Strategy| strategy.stops(["a", "b", "c", "d"], &"b");
    assert_eq!(stops(Strategy::OneForOne), [""; 0]);
    assert_eq!(stops(Strategy::OneForAll), ["d", "c", "a"]);
    assert_eq!(stops(Strategy::RestForOne), ["d", "c"]);
    assert_eq!(stops(Strategy::Escalate), [""; 0]);
}

#[test]
fn under_escalate_a_failure_is_that_of_the_supervisor_whatever_the_policy_says() {
    let decide =
        |restart, exit| Supervision::new(restart).ended(Strategy::Escalate, exit, Duration::ZERO, Instant::now(), 0);
    assert_eq!(decide(Restart::never(), Exit::Failure), Decision::Escalate);
    assert_eq!(decide(Restart::always(), Exit::Failure), Decision::Escalate);
    assert_eq!(decide(Restart::never(), Exit::Normal), Decision::Leave);
    assert_eq!(decide(Restart::always(), Exit::Shutdown), Decision::Leave);
    assert!(matches!(decide(Restart::always(), Exit::Normal), Decision::Restart { .. }), "that is no failure");
}

#[test]
fn a_child_that_dies_in_its_start_is_started_six_times_and_escalates_once() {
    let backoff = Backoff::new(100 * MS, 30 * S).jitter(Jitter::None);
    let mut supervision = Supervision::new(Restart::on_failure().max_restarts(5, 10 * S).backoff(backoff));
    let mut now = Instant::now();
    let (mut starts, mut waited) = (1, Vec::new());
    let end = loop {
        match supervision.ended(Strategy::OneForOne, Exit::Failure, Duration::ZERO, now, 0) {
            Decision::Restart { after } => {
                waited.push(after.as_millis());
                now += after;
                starts += 1;
            }
            other => break other,
        }
    };
    assert_eq!((starts, end), (6, Decision::Escalate));
    assert_eq!(waited, [100, 200, 400, 800, 1_600]);
    assert_eq!(supervision.restarts(now), (5, 5));
}

/// How long it waits after each of these runs.
fn delays_after(runs: &[Duration]) -> Vec<Duration> {
    let backoff = Backoff::new(S, 60 * S).jitter(Jitter::None).stable_after(30 * S);
    let mut supervision = Supervision::new(Restart::always().max_restarts(100, S).backoff(backoff));
    let mut after =
        |ran_for: &Duration| match supervision.ended(Strategy::OneForOne, Exit::Failure, *ran_for, Instant::now(), 0) {
            Decision::Restart { after } => after,
            other => panic!("{other:?}"),
        };
    runs.iter().map(&mut after).collect()
}

#[test]
fn a_child_that_ran_well_is_started_again_without_a_long_delay() {
    assert_eq!(delays_after(&[S, 29 * S, 30 * S, S]), [S, 2 * S, S, 2 * S]);
}

#[test]
fn a_child_that_does_not_come_up_after_a_good_run_has_not_run_well_again() {
    assert_eq!(delays_after(&[40 * S, Duration::ZERO, Duration::ZERO]), [S, 2 * S, 4 * S]);
}

#[derive(Debug, Clone)]
enum Step {
    Ended(Exit),
    Wait(u64),
}

fn policy() -> impl proptest::strategy::Strategy<Value = RestartPolicy> {
    prop_oneof![Just(RestartPolicy::Never), Just(RestartPolicy::OnFailure), Just(RestartPolicy::Always)]
}

fn step() -> impl proptest::strategy::Strategy<Value = Step> {
    let exit = prop_oneof![2 => Just(Exit::Failure), 1 => Just(Exit::Normal), 1 => Just(Exit::Shutdown)];
    prop_oneof![3 => exit.prop_map(Step::Ended), 1 => (0..8_u64).prop_map(Step::Wait)]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_supervisor_decides_as_otps_does(policy in policy(), steps in prop::collection::vec(step(), 1..100)) {
        let intensity = RestartIntensity::new(2, 10 * MS);
        let restart = Restart { policy, intensity, backoff: Backoff::new(Duration::ZERO, S) };
        let mut supervision = Supervision::new(restart);
        let mut naive = NaiveRestarts { intensity, all: Vec::new() };
        let mut now = Instant::now();
        for step in steps {
            match step {
                Step::Ended(exit) => {
                    let restarts_it = match (policy, exit) {
                        (_, Exit::Shutdown)
                        | (RestartPolicy::Never, _)
                        | (RestartPolicy::OnFailure, Exit::Normal) => false,
                        (RestartPolicy::OnFailure, Exit::Failure) | (RestartPolicy::Always, _) => true,
                    };
                    let decision = match restarts_it {
                        false => Decision::Leave,
                        true if naive.allow(now) => Decision::Restart { after: Duration::ZERO },
                        true => Decision::Escalate,
                    };
                    prop_assert_eq!(supervision.ended(Strategy::OneForOne, exit, Duration::ZERO, now, 0), decision);
                }
                Step::Wait(milliseconds) => now += Duration::from_millis(milliseconds),
            }
        }
    }
}

// ---- health ----

fn failed() -> HealthStatus {
    HealthStatus::Unhealthy("no answer".to_owned())
}

fn degraded(reason: &str) -> HealthStatus {
    HealthStatus::Degraded(reason.to_owned())
}

#[test]
fn one_or_two_failures_degrade_the_third_is_unhealthy_and_two_successes_heal() {
    let mut monitor = HealthMonitor::default();
    let mut after = |check: HealthStatus| monitor.record(check).cloned();
    assert_eq!(after(HealthStatus::Healthy), None);
    assert_eq!(after(failed()), Some(degraded("no answer")));
    assert_eq!(after(failed()), None);
    assert_eq!(after(failed()), Some(failed()));
    assert_eq!(after(failed()), None, "a change is told once");
    assert_eq!(after(HealthStatus::Healthy), None, "one success does not heal");
    assert_eq!(after(HealthStatus::Unhealthy("gone".to_owned())), None, "and after it one failure is as bad as many");
    assert_eq!(monitor.status().reason(), Some("gone"), "the latest reason");
    let mut after = |check: HealthStatus| monitor.record(check).cloned();
    assert_eq!(after(HealthStatus::Healthy), None);
    assert_eq!(after(HealthStatus::Healthy), Some(HealthStatus::Healthy));
    assert_eq!(after(failed()), Some(degraded("no answer")), "the row of failures begins anew");
}

#[test]
fn a_success_between_ends_the_row_of_failures() {
    let mut monitor = HealthMonitor::default();
    for _ in 0..10 {
        monitor.record(failed());
        monitor.record(failed());
        monitor.record(HealthStatus::Healthy);
        assert_eq!(monitor.status(), &degraded("no answer"));
    }
}

#[test]
fn a_module_may_say_itself_that_it_is_degraded() {
    let mut monitor = HealthMonitor::default();
    assert_eq!(monitor.record(degraded("slow")), Some(&degraded("slow")));
    assert_eq!(monitor.record(degraded("slower")), None);
    assert_eq!(monitor.status(), &degraded("slower"), "the latest reason");
    monitor.reset();
    assert_eq!(monitor, HealthMonitor::default());
}

#[test]
fn the_worst_child_wins_and_the_percentage_is_that_of_the_healthy() {
    assert_eq!(HealthStatus::worst([]), HealthStatus::Healthy);
    let tree = [HealthStatus::Healthy, degraded("slow"), failed(), HealthStatus::Unhealthy("gone".to_owned())];
    assert_eq!(HealthStatus::worst(tree.clone()), failed());
    assert_eq!(HealthStatus::worst(tree[..2].to_vec()), degraded("slow"));
    let summary: HealthSummary = tree.iter().collect();
    assert_eq!(summary, HealthSummary { healthy: 1, degraded: 1, unhealthy: 2 });
    assert_eq!((summary.total(), summary.percent()), (4, 25));
    assert_eq!(HealthSummary::default().percent(), 100);
    let nearly_all = HealthSummary { healthy: 9_999, degraded: 1, unhealthy: 0 };
    assert_eq!(nearly_all.percent(), 99, "100 means all");
    assert_eq!(
        [HealthStatus::Healthy, degraded("slow"), failed()].map(|status| status.to_string()),
        ["healthy", "degraded: slow", "unhealthy: no answer"]
    );
}

/// How a module is after these checks, looked up in all of them: 0 healthy, 1 degraded, 2 unhealthy.
fn naive_health(checks: &[u8], thresholds: HealthThresholds) -> u8 {
    let ends_with = |upto: usize, check: u8, many: u32| {
        let many = many.max(1) as usize;
        upto >= many && checks[upto - many..upto].iter().all(|seen| *seen == check)
    };
    // What was before the last time that it healed does not matter.
    let healed = (1..=checks.len()).rev().find(|upto| ends_with(*upto, 0, thresholds.successes)).unwrap_or(0);
    let broke = (healed + 1..=checks.len()).any(|upto| {
        let in_row = checks[healed..upto].iter().rev().take_while(|seen| **seen == 2).count();
        in_row >= thresholds.failures.max(1) as usize
    });
    let troubled = checks[healed..].iter().any(|seen| *seen > 0);
    if broke { 2 } else { u8::from(troubled) }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn health_is_what_all_checks_together_say(
        checks in prop::collection::vec(0..3_u8, 0..40),
        failures in 0..5_u32,
        successes in 0..4_u32,
    ) {
        let thresholds = HealthThresholds { failures, successes };
        let mut monitor = HealthMonitor::new(thresholds);
        let mut before = 0;
        for upto in 1..=checks.len() {
            let check = [HealthStatus::Healthy, degraded("slow"), failed()][usize::from(checks[upto - 1])].clone();
            let is_told = monitor.record(check).is_some();
            let level = match monitor.status() {
                HealthStatus::Healthy => 0,
                HealthStatus::Degraded(_) => 1,
                HealthStatus::Unhealthy(_) => 2,
            };
            prop_assert_eq!(level, naive_health(&checks[..upto], thresholds));
            prop_assert_eq!(is_told, level != before);
            before = level;
        }
    }
}
