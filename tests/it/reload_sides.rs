//! What belongs to the old one and what to the new one, while a module is reloaded and there are both.

use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use dms::prelude::*;
use dms::recovery::{Backoff, Restart};
use dms::{Failure, ModuleState, ReloadError, ReloadOutcome, SystemRef};
use dms_tests::{Boom, Held, Log, Puppet, eventually, hold, noted, on_every_runtime, on_paused, settle};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Without a wait, and as often as it takes.
const AT_ONCE: Restart = Restart::on_failure()
    .max_restarts(u32::MAX, Duration::from_millis(1))
    .backoff(Backoff::new(Duration::ZERO, Duration::ZERO));

type Doing<'a> = Pin<Box<dyn Future<Output = Result<(), ModuleError>> + Send + 'a>>;

/// What a parent does in `init`.
type Init<T> = Box<dyn for<'a> FnOnce(&'a mut Context<T>) -> Doing<'a> + Send>;

/// A parent of this strategy that can be reloaded.
macro_rules! parent {
    ($parent:ident, $which:ident, $strategy:ident) => {
        #[module(flags(HOT_RELOADABLE), strategy = $strategy)]
        struct $parent {
            label: &'static str,
            log: Log<String>,
            init: Option<Init<Self>>,
        }

        #[module]
        impl $parent {
            #[init]
            async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
                match self.init.take() {
                    Some(init) => init(ctx).await,
                    None => Ok(()),
                }
            }

            #[handler($which)]
            fn which(&self) -> &'static str {
                self.label
            }

            #[stop]
            fn stop(&self) {
                self.log.push(format!("stop {}", self.label));
            }
        }

        impl $parent {
            fn new(label: &'static str, log: &Log<String>) -> Self {
                Self { label, log: log.clone(), init: None }
            }

            fn beginning(
                mut self,
                init: impl for<'a> FnOnce(&'a mut Context<Self>) -> Doing<'a> + Send + 'static,
            ) -> Self {
                self.init = Some(Box::new(init));
                self
            }
        }
    };
}

parent!(Passing, WhichPassing, escalate);
parent!(Together, WhichTogether, one_for_all);

fn child_of_failure(failure: &Failure) -> Option<String> {
    match failure {
        Failure::Child { child, .. } => Some(child.to_string()),
        _ => None,
    }
}

#[test]
fn a_child_of_the_new_one_that_fails_ends_the_reload_and_the_old_one_goes_on() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let parent = system.register_module(Passing::new("old", &log)).await.unwrap();
        let new = Passing::new("new", &log).beginning(|ctx| {
            Box::pin(async {
                let child = ctx.register_module(Puppet::default()).name("newcomer").await?;
                child.send(Boom("boom")).await?;
                pending().await
            })
        });
        let error = parent.reload(new).await.unwrap_err();
        let ReloadError::Failed { failure, .. } = error else { panic!("{error}") };
        assert_eq!(child_of_failure(&failure), Some("newcomer".to_owned()));
        assert_eq!((parent.which().await.unwrap(), parent.incarnation()), ("old", 1));
        assert!(log.is_empty(), "no `stop` ran");
        assert_eq!((system.modules().len(), system.failure()), (1, None));
        system.shutdown().await;
    });
}

#[test]
fn a_child_of_the_old_one_that_fails_meanwhile_is_the_old_ones_failure() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let old = Passing::new("old", &log).beginning(|ctx| {
            Box::pin(async {
                ctx.register_module(Puppet::default()).name("elder").await?;
                Ok(())
            })
        });
        let parent = system.register_module(old).await.unwrap();
        let (holding, mut held) = hold();
        let new = Passing::new("new", &log).beginning(|_| {
            Box::pin(async {
                holding.await;
                Ok(())
            })
        });
        let mut reload = std::pin::pin!(parent.reload(new).into_future());
        assert!(futures::poll!(reload.as_mut()).is_pending());
        held.begun().await;
        system.get::<Puppet>("elder").unwrap().send(Boom("boom")).await.unwrap();
        let error = reload.await.unwrap_err();
        let ReloadError::Interrupted { failure, .. } = error else { panic!("{error}") };
        assert_eq!(child_of_failure(&failure), Some("elder".to_owned()));
        assert_eq!(parent.stopped().await.state, ModuleState::Failed);
        system.shutdown().await;
    });
}

#[test]
fn a_child_of_the_old_one_that_fails_as_it_ends_is_not_the_new_ones_failure() {
    on_every_runtime(|| async {
        let (system, log) = (System::new(), Log::new());
        let old = Passing::new("old", &log).beginning(|ctx| {
            Box::pin(async {
                let fails = Puppet::default().on_stop(|_| Box::pin(async { Err("no stop".into()) }));
                ctx.register_module(fails).name("elder").await?;
                Ok(())
            })
        });
        let parent = system.register_module(old).await.unwrap();
        let elder = system.get::<Puppet>("elder").unwrap();
        parent.reload(Passing::new("new", &log)).await.unwrap();
        assert_eq!(elder.state(), ModuleState::Failed);
        settle().await;
        assert_eq!((parent.which().await.unwrap(), parent.incarnation()), ("new", 2));
        // Those that come later are the new one's.
        assert_eq!(parent.stop().await.unwrap().failure, None);
        system.shutdown().await;
    });
}

/// Registers a noted puppet of this name, which is built again, and waits then.
fn adopting(
    log: &Log<String>,
    name: &'static str,
    until: impl Future<Output = ()> + Send + 'static,
) -> impl for<'a> FnOnce(&'a mut Context<Together>) -> Doing<'a> + Send + 'static {
    let log = log.clone();
    move |ctx| {
        Box::pin(async move {
            ctx.register_with(move |_| noted(&log, name)).name(name).restart(AT_ONCE).await?;
            until.await;
            Ok(())
        })
    }
}

/// A module under reload, whose old one has the child `elder` and whose new one the child `newcomer`.
async fn in_between(
    system: &SystemRef,
    log: &Log<String>,
) -> (ModuleRef<Together>, Held, tokio::task::JoinHandle<u32>) {
    let old = Together::new("old", log).beginning(adopting(log, "elder", std::future::ready(())));
    let parent = system.register_module(old).await.unwrap();
    let (holding, mut held) = hold();
    let new = Together::new("new", log).beginning(adopting(log, "newcomer", holding));
    let reload = parent.reload(new).into_future();
    let reload = tokio::spawn(async move { reload.await.unwrap().incarnation });
    held.begun().await;
    (parent, held, reload)
}

#[test]
fn children_of_the_old_one_and_of_the_new_one_are_no_siblings() {
    for (fails, stays) in [("elder", "newcomer"), ("newcomer", "elder")] {
        on_every_runtime(|| async {
            let (system, log) = (System::new(), Log::new());
            let (parent, held, reload) = in_between(&system, &log).await;
            let [fails, stays] = [fails, stays].map(|name| system.get::<Puppet>(name).unwrap());
            fails.send(Boom("boom")).await.unwrap();
            eventually("it runs again", || fails.incarnation() == 2 && fails.state() == ModuleState::Running).await;
            settle().await;
            assert_eq!((stays.incarnation(), stays.state()), (1, ModuleState::Running));
            held.release();
            assert_eq!(reload.await.unwrap(), 2);
            assert_eq!(parent.which().await.unwrap(), "new");
            assert_eq!(system.get::<Puppet>("newcomer").unwrap().state(), ModuleState::Running);
            assert_eq!(system.modules().len(), 2, "the old one's child has ended with it");
            system.shutdown().await;
        });
    }
}

/// A module that is checked, and may hang in a handler.
#[module(flags(HOT_RELOADABLE))]
struct Checked(&'static str, Log<String>);

#[module]
impl Checked {
    #[init]
    fn init(&self) {
        self.1.push(format!("init {}", self.0));
    }

    #[handler(Hang)]
    async fn hang(&mut self, until: Until) {
        until.0.await;
    }

    #[handler(Label)]
    fn label(&self) -> &'static str {
        self.0
    }

    #[health(every = "1s", timeout = "1s")]
    fn health(&self) -> HealthStatus {
        HealthStatus::Healthy
    }
}

struct Until(Pin<Box<dyn Future<Output = ()> + Send>>);

/// A module that is held in a handler for good.
async fn hanging(system: &SystemRef, log: &Log<String>) -> (ModuleRef<Checked>, Held) {
    let checked = system.register_module(Checked("old", log.clone())).await.unwrap();
    let (holding, mut held) = hold();
    checked.send(Hang { until: Until(Box::pin(holding)) }).await.unwrap();
    held.begun().await;
    (checked, held)
}

#[test]
fn a_reload_that_nobody_waits_for_is_given_up_in_time_where_a_handler_does_not_return() {
    on_paused(|| async {
        let (system, log) = (System::new(), Log::new());
        let (checked, held) = hanging(&system, &log).await;
        {
            let mut reload =
                std::pin::pin!(checked.reload(Checked("new", log.clone())).timeout(SECOND / 2).into_future());
            assert!(futures::poll!(reload.as_mut()).is_pending());
        }
        sleep(SECOND).await;
        let outcomes: Vec<_> = checked.reloads().into_iter().map(|entry| entry.outcome).collect();
        let (module, after) = (checked.name(), SECOND / 2);
        let late = ReloadError::TimedOut { module, after, place: "a handler" };
        assert_eq!(outcomes, [ReloadOutcome::Failed(late)]);
        // The next one is not refused, and the one before does not end it.
        let reload = checked.reload(Checked("next", log.clone())).into_future();
        let reload = tokio::spawn(async move { reload.await.unwrap().incarnation });
        settle().await;
        held.release();
        assert_eq!(reload.await.unwrap(), 2);
        assert_eq!(checked.label().await.unwrap(), "next");
        system.shutdown().await;
    });
}

#[test]
fn health_is_judged_while_a_reload_waits_for_a_handler() {
    on_paused(|| async {
        for timeout in [Duration::from_hours(1), Duration::MAX] {
            let (system, log) = (System::new(), Log::new());
            let (checked, _held) = hanging(&system, &log).await;
            let reload = checked.reload(Checked("new", log.clone())).timeout(timeout);
            let error = reload.await.unwrap_err();
            let ReloadError::Interrupted { failure, .. } = error else { panic!("{error}") };
            assert!(matches!(failure, Failure::Health { .. }), "{failure}");
            assert_eq!(checked.stopped().await.state, ModuleState::Failed);
            assert_eq!(log.all(), ["init old"]);
            system.shutdown().await;
        }
    });
}

#[test]
fn reloads_and_restarts_are_counted_apart() {
    on_every_runtime(|| async {
        let system = System::new();
        let elder = move |_| noted(&Log::new(), "built");
        let factory = system.register_with(elder).restart(AT_ONCE).await.unwrap();
        factory.send(Boom("boom")).await.unwrap();
        eventually("it runs again", || factory.incarnation() == 2).await;
        let counters = factory.statistics().counters;
        assert_eq!((counters.restarts, counters.reloads), (1, 0));
        let log = Log::new();
        let checked = system.register_module(Checked("old", log.clone())).await.unwrap();
        for _ in 0..3 {
            checked.reload(Checked("new", log.clone())).await.unwrap();
        }
        let counters = checked.statistics().counters;
        assert_eq!((counters.restarts, counters.reloads, checked.incarnation()), (0, 3, 4));
        system.shutdown().await;
    });
}

/// A parent whose child does not come to the end of its `stop` hook.
fn with_a_child_that_stays(
    label: &'static str,
    log: &Log<String>,
    then: impl FnOnce() -> Result<(), ModuleError> + Send + 'static,
) -> Passing {
    Passing::new(label, log).beginning(|ctx| {
        Box::pin(async move {
            let stays = Puppet::default().on_stop(|_| Box::pin(pending()));
            ctx.register_module(stays).name("stays").await?;
            then()
        })
    })
}

#[test]
fn a_child_that_does_not_end_holds_a_reload_up_no_longer_than_its_limit() {
    on_paused(|| async {
        for fails in [false, true] {
            let (system, log) = (System::new(), Log::new());
            let old = if fails { Passing::new("old", &log) } else { with_a_child_that_stays("old", &log, || Ok(())) };
            let parent = system.register_module(old).await.unwrap();
            let new = if fails {
                with_a_child_that_stays("new", &log, || Err("no".into()))
            } else {
                Passing::new("new", &log)
            };
            let begun = Instant::now();
            let reloaded = parent.reload(new).timeout(2 * SECOND).await;
            assert_eq!((reloaded.is_err(), begun.elapsed()), (fails, 2 * SECOND));
            let expected = if fails { ("old", 1) } else { ("new", 2) };
            assert_eq!((parent.which().await.unwrap(), parent.incarnation()), expected);
            settle().await;
            assert_eq!(system.modules().len(), 1, "the child has been cut off");
            assert_eq!(parent.stop().await.unwrap().failure, None);
            system.shutdown().await;
        }
    });
}

#[test]
fn a_kill_does_not_wait_for_the_end_of_the_old_one() {
    on_paused(|| async {
        let (system, log) = (System::new(), Log::new());
        let parent = system.register_module(with_a_child_that_stays("old", &log, || Ok(()))).await.unwrap();
        let begun = Instant::now();
        let mut reload = std::pin::pin!(parent.reload(Passing::new("new", &log)).timeout(Duration::MAX).into_future());
        assert!(futures::poll!(reload.as_mut()).is_pending());
        eventually("the new one has the place", || parent.incarnation() == 2).await;
        settle().await;
        assert_eq!(parent.kill().await.failure, Some(Failure::Killed));
        assert!(begun.elapsed() < SECOND);
        reload.await.unwrap();
        system.shutdown().await;
    });
}

/// A module that asks for ticks and for a message in `init`, and may fail then.
#[module(flags(HOT_RELOADABLE))]
struct Timed(&'static str, Log<&'static str>, bool);

#[module]
impl Timed {
    #[init]
    fn init(&self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        ctx.self_ref().request_tick(Beat { of: self.0 }, SECOND);
        ctx.self_ref().send_after(Beat { of: "later" }, 2 * SECOND + SECOND / 2);
        if self.2 { Err("no".into()) } else { Ok(()) }
    }

    #[handler(Beat, derive(Clone))]
    fn beat(&mut self, of: &'static str) {
        self.1.push(of);
    }
}

#[test]
fn what_the_new_one_asked_of_the_timers_ends_with_its_reload() {
    on_paused(|| async {
        let (system, log) = (System::new(), Log::new());
        let timed = system.register_module(Timed("old", log.clone(), false)).await.unwrap();
        timed.reload(Timed("new", log.clone(), true)).await.unwrap_err();
        sleep(3 * SECOND + SECOND / 4).await;
        assert_eq!(log.take(), ["old", "old", "later", "old"]);
        // Where it takes the place, they stay, and so do those that were there.
        timed.reload(Timed("third", log.clone(), false)).await.unwrap();
        sleep(SECOND + SECOND / 4).await;
        assert_eq!(log.take(), ["old", "third"]);
        assert_eq!(system.shutdown().await.undelivered, 1, "of the third one: later");
    });
}
