//! Random graphs of dependencies: modules start in an order that respects every edge, or a real circle is reported.

use std::collections::HashSet;

use dms::{RegisterError, System};
use dms_tests::{Flavor, Log, is_long, needing};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

const MODULES: usize = 200;

/// Who depends on whom.
type Edges = HashSet<(usize, usize)>;

/// A graph whose edges follow an order of the modules, but for a few that may not.
fn graph() -> impl Strategy<Value = Edges> {
    let order = Just((0..MODULES).collect::<Vec<_>>()).prop_shuffle();
    let forward = prop::collection::vec((0..MODULES, 0..MODULES), 0..2 * MODULES);
    let any = prop_oneof![Just(Vec::new()), prop::collection::vec((0..MODULES, 0..MODULES), 1..60)];
    (order, forward, any).prop_map(|(order, forward, any)| {
        let downwards = forward.into_iter().filter(|(a, b)| a != b).map(|(a, b)| (a.max(b), a.min(b)));
        downwards.chain(any).map(|(a, b)| (order[a], order[b])).collect()
    })
}

/// Whether there is a circle: whoever depends on nothing that is left is taken away until nobody is left, or nothing changes.
fn has_circle(edges: &Edges) -> bool {
    let mut left: HashSet<_> = (0..MODULES).collect();
    loop {
        let held: HashSet<_> =
            edges.iter().filter(|(a, b)| left.contains(a) && left.contains(b)).map(|(a, _)| *a).collect();
        if held.len() == left.len() {
            return !left.is_empty();
        }
        left = held;
    }
}

/// Registers the modules in the order of their numbers; gives what was noted, and the circle.
fn register(edges: &Edges) -> (Vec<String>, Option<Vec<String>>) {
    Flavor::Paused.run(|| async {
        let system = System::new();
        let log = Log::new();
        let modules = (0..MODULES).map(|number| {
            let needed: Vec<_> = edges.iter().filter(|(a, _)| *a == number).map(|(_, b)| b.to_string()).collect();
            needing(&system, &log, &number.to_string(), &needed.iter().map(String::as_str).collect::<Vec<_>>())
        });
        let circle = match system.register_all(modules.collect::<Vec<_>>()).await {
            Ok(references) => {
                assert!(references.iter().enumerate().all(|(number, module)| module.name() == number.to_string()));
                None
            }
            Err(RegisterError::DependencyCycle { cycle }) => Some(cycle),
            Err(other) => panic!("{other}"),
        };
        system.shutdown().await;
        (log.take(), circle)
    })
}

/// The numbers behind `what`, as they were noted.
fn order_of(log: &[String], what: &str) -> Vec<usize> {
    log.iter().filter_map(|entry| entry.strip_prefix(what)?.trim().parse().ok()).collect()
}

fn check(edges: &Edges) -> Result<bool, TestCaseError> {
    let (log, circle) = register(edges);
    let has_circle = has_circle(edges);
    prop_assert_eq!(circle.is_some(), has_circle);
    if let Some(circle) = circle {
        let circle: Vec<usize> = circle.iter().map(|name| name.parse().unwrap()).collect();
        let next = circle.iter().cycle().skip(1);
        for (a, b) in circle.iter().zip(next) {
            prop_assert!(edges.contains(&(*a, *b)), "{} does not depend on {}: {:?}", a, b, circle);
        }
        prop_assert_eq!(circle.iter().collect::<HashSet<_>>().len(), circle.len());
        prop_assert!(log.iter().all(|entry| entry.starts_with("drop")), "something ran");
        return Ok(true);
    }
    let position = |order: &[usize]| {
        let mut position = vec![usize::MAX; MODULES];
        order.iter().enumerate().for_each(|(at, number)| position[*number] = at);
        position
    };
    for (what, is_before) in [("init", true), ("start", true), ("stop", false), ("drop", false)] {
        let order = order_of(&log, what);
        prop_assert_eq!(order.len(), MODULES);
        let position = position(&order);
        for (dependent, dependency) in edges {
            prop_assert_eq!(
                position[*dependency] < position[*dependent],
                is_before,
                "{} {} {}",
                what,
                dependent,
                dependency
            );
        }
    }
    let last_init = log.iter().rposition(|entry| entry.starts_with("init"));
    prop_assert!(last_init < log.iter().position(|entry| entry.starts_with("start")), "init all, then start all");
    Ok(false)
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: if is_long() { 2_000 } else { 24 },
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn two_hundred_modules_start_in_an_order_that_respects_every_edge_or_report_a_real_circle(edges in graph()) {
        check(&edges)?;
    }
}

/// The graphs come out both ways, so that the test above compares something.
#[test]
fn the_random_graphs_have_circles_and_have_none() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let circles = (0..60).filter(|_| has_circle(&graph().new_tree(&mut runner).unwrap().current())).count();
    assert!((5..50).contains(&circles), "{circles} of 60");
}
