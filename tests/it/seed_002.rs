//! The names of seed 002 that speak of failure are here, and do what they say.

use std::time::Duration;

use dms::prelude::*;
use dms::recovery::{HealthMonitor, HealthStatus, Restart, RestartPolicy};

/// The seed's `Supervisor` is any module with children that are started again.
#[module]
struct Supervisor;

#[module]
impl Supervisor {
    #[start]
    async fn start(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        let restart = Restart::always().max_restarts(1, Duration::from_mins(1));
        assert_eq!(restart.policy, RestartPolicy::Always);
        ctx.register_with(|_| Child).name("child").restart(restart).await?;
        Ok(())
    }
}

#[module]
struct Child;

#[module]
impl Child {
    #[handler(Fail)]
    fn fail(&mut self) {
        panic!("as asked");
    }

    /// The seed's `health_check`.
    #[health]
    fn health_check(&self) -> HealthStatus {
        HealthStatus::Degraded("on purpose".to_owned())
    }
}

#[test]
fn a_supervisor_starts_its_child_again_and_knows_how_it_is() {
    dms_tests::on_paused(|| async {
        let system = System::new();
        system.register_module(Supervisor).await.unwrap();
        let child: ModuleRef<Child> = system.find("child").await.unwrap();
        assert_eq!(child.check_health().await, HealthStatus::Degraded("on purpose".to_owned()));
        child.send(Fail).await.unwrap();
        dms_tests::eventually("it runs again", || child.incarnation() == 2).await;
        system.shutdown().await;
    });
}

#[test]
fn a_health_monitor_knows_the_three_ways_to_be() {
    let mut monitor = HealthMonitor::default();
    assert_eq!(monitor.status(), &HealthStatus::Healthy);
    for _ in 0..3 {
        monitor.record(HealthStatus::Unhealthy("no answer".to_owned()));
    }
    assert_eq!(monitor.status(), &HealthStatus::Unhealthy("no answer".to_owned()));
}
