//! T1 to T4: messages that come by themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dms::prelude::*;
use dms_tests::{
    Boom, Drops, Flavor, Log, Note, Puppet, Token, act, events_of, eventually, held, hold, on_every_runtime, on_paused,
    puppet, settle,
};
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);

/// Notes when it is told to.
#[module]
struct Clock {
    begun: Instant,
    log: Log<(&'static str, u128)>,
}

#[derive(Clone)]
struct At(&'static str);

#[module]
impl Clock {
    #[handler]
    fn at(&mut self, At(what): At) {
        self.log.push((what, self.begun.elapsed().as_millis()));
    }
}

/// Ticks by attribute.
#[module]
struct Ticking {
    begun: Instant,
    log: Log<(&'static str, u128)>,
}

#[module]
impl Ticking {
    #[tick(every = "2s")]
    fn two(&mut self) {
        self.log.push(("two", self.begun.elapsed().as_millis()));
    }

    #[tick(every = "1s 500ms")]
    async fn one_and_a_half(&mut self, ctx: &mut Context<Self>) {
        assert_eq!(ctx.self_ref().depth(), 0);
        self.log.push(("one_and_a_half", self.begun.elapsed().as_millis()));
    }
}

async fn clock(system: &System) -> (ModuleRef<Clock>, Log<(&'static str, u128)>) {
    let log = Log::new();
    let module = system.register_module(Clock { begun: Instant::now(), log: log.clone() }).await.unwrap();
    (module, log)
}

#[test]
fn t1_the_nth_tick_is_due_at_n_intervals() {
    on_paused(|| async {
        let system = System::new();
        let (module, log) = clock(&system).await;
        module.request_tick(At("tick"), 7 * MS);
        sleep(S).await;
        let expected: Vec<_> = (1..=142).map(|number| ("tick", number * 7)).collect();
        assert_eq!(log.all(), expected);
        system.shutdown().await;
    });
}

/// A slow handler and a thread that was busy do not move later ticks.
#[test]
fn t1_ticks_do_not_drift() {
    on_paused(|| async {
        let system = System::new();
        let (module, log) = clock(&system).await;
        module.request_tick(At("tick"), 100 * MS);
        sleep(250 * MS).await;
        // Longer than two intervals nothing runs at all: those that were due meanwhile come at once.
        tokio::time::advance(300 * MS).await;
        sleep(500 * MS).await;
        let times: Vec<_> = log.all().into_iter().map(|(_, at)| at).collect();
        assert_eq!(times, [100, 200, 550, 550, 550, 600, 700, 800, 900, 1_000]);
        system.shutdown().await;
    });
}

#[test]
fn t1_ticks_come_in_real_time_too() {
    for flavor in [Flavor::CurrentThread, Flavor::MultiThread] {
        flavor.run(|| async {
            let system = System::new();
            let log = Log::new();
            let module = system.register_module(puppet(&log)).await.unwrap();
            let begun = Instant::now();
            module.request_tick(Note(1), 10 * MS);
            eventually("ten ticks", || log.len() >= 10).await;
            let took = begun.elapsed();
            assert!((100 * MS..S).contains(&took), "{took:?}");
            system.shutdown().await;
        });
    }
}

#[test]
fn t2_requests_add_up() {
    on_paused(|| async {
        let system = System::new();
        let (module, log) = clock(&system).await;
        module.request_tick(At("tick"), 2 * S);
        sleep(S).await;
        module.request_tick(At("tick"), 3 * S);
        sleep(9_500 * MS).await;
        let times: Vec<_> = log.all().into_iter().map(|(_, at)| at / 1_000).collect();
        assert_eq!(times, [2, 4, 4, 6, 7, 8, 10, 10]);
        assert!(log.all().into_iter().all(|(_, at)| at % 1_000 == 0), "{log:?}");
        system.shutdown().await;
    });
}

#[test]
fn t2_the_same_request_twice_ticks_twice() {
    on_paused(|| async {
        let system = System::new();
        let (module, log) = clock(&system).await;
        module.request_tick(At("one"), S);
        module.request_tick(At("other"), S);
        sleep(2_500 * MS).await;
        assert_eq!(log.all(), [("one", 1_000), ("other", 1_000), ("one", 2_000), ("other", 2_000)]);
        system.shutdown().await;
    });
}

#[test]
fn t2_ticks_by_attribute_begin_when_the_module_runs() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(Ticking { begun: Instant::now(), log: log.clone() }).await.unwrap();
        sleep(4_600 * MS).await;
        let expected = [
            ("one_and_a_half", 1_500),
            ("two", 2_000),
            ("one_and_a_half", 3_000),
            ("two", 4_000),
            ("one_and_a_half", 4_500),
        ];
        assert_eq!(log.all(), expected);
        module.stop().await.unwrap();
        sleep(10 * S).await;
        assert_eq!(log.len(), 5);
        system.shutdown().await;
    });
}

#[test]
fn t3_stop_is_idempotent_and_stops_that_request_alone() {
    on_paused(|| async {
        let system = System::new();
        let (module, log) = clock(&system).await;
        let one = module.request_tick(At("one"), S);
        let other = module.request_tick(At("other"), S);
        sleep(1_500 * MS).await;
        one.stop();
        one.stop();
        one.clone().stop();
        sleep(S).await;
        assert_eq!(log.take(), [("one", 1_000), ("other", 1_000), ("other", 2_000)]);
        // A request made later may use the place of one that was stopped: the old handle does not stop it.
        let third = module.request_tick(At("third"), S);
        one.stop();
        sleep(S + MS).await;
        assert_eq!(log.take(), [("other", 3_000), ("third", 3_500)]);
        module.stop().await.unwrap();
        one.stop();
        other.stop();
        third.stop();
        system.shutdown().await;
        third.stop();
        assert_eq!(third.skipped(), 0);
    });
}

#[test]
fn t3_dropping_the_handle_and_every_reference_stops_nothing() {
    on_paused(|| async {
        let system = System::new();
        let (module, log) = clock(&system).await;
        drop(module.request_tick(At("tick"), S));
        drop(module);
        sleep(3_500 * MS).await;
        assert_eq!(log.len(), 3);
        system.shutdown().await;
    });
}

#[test]
fn t3_ticks_end_with_their_module_and_with_the_system() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let dropped = Drops::new();
        let modules =
            [system.register_module(puppet(&log)).await.unwrap(), system.register_module(puppet(&log)).await.unwrap()];
        for module in &modules {
            module.request_tick(Note(module.id().to_string().parse().unwrap()), MS);
            let token = dropped.token();
            module.send_after(act(async move { drop(token) }), 1_000 * S);
        }
        eventually("both tick", || log.all().contains(&1) && log.all().contains(&2)).await;
        assert!(modules[0].stop().await.unwrap().undelivered >= 1, "the message to come counts");
        assert_eq!(dropped.count(), 1);
        drop(log.take());
        eventually("the other goes on", || log.len() > 3).await;
        assert!(!log.take().contains(&1));
        system.shutdown().await;
        assert_eq!(dropped.count(), 2, "what was to be sent is dropped with its module");
        drop(log.take());
        sleep(20 * MS).await;
        assert!(log.is_empty());
        modules[0].request_tick(Note(9), MS);
        modules[0].send_after(Note(9), MS);
        sleep(20 * MS).await;
        assert!(log.is_empty());
        eventually("no task", || tokio::runtime::Handle::current().metrics().num_alive_tasks() == 0).await;
    });
}

#[test]
fn t3_ticks_end_with_a_module_that_panics() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let dropped = Drops::new();
        let token = Arc::new(dropped.token());
        module.request_tick(Carries(token), S);
        module.send(Boom("now")).await.unwrap();
        module.stopped().await;
        assert_eq!(dropped.count(), 1);
        system.shutdown().await;
    });
}

/// A message with something in it.
#[derive(Clone)]
struct Carries(Arc<Token>);

impl Handler<Carries> for Puppet {
    type Reply = ();
    async fn handle(&mut self, Carries(token): Carries, _: &mut Context<Self>) {
        drop(token);
    }
}

#[test]
fn t4_a_thousand_and_twenty_four_ticks_wait_and_later_ones_are_skipped_and_counted() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let system = System::new();
            let log = Log::new();
            let module = system.register_module(puppet(&log)).name("slow").await.unwrap();
            let stuck = held(&module).await;
            let ticks = module.request_tick(Note(1), S);
            let few = module.request_tick(Note(2), 1_000 * S);
            sleep(1_024 * S + MS).await;
            assert_eq!(ticks.skipped(), 0);
            sleep(S).await;
            assert_eq!(ticks.skipped(), 1);
            sleep(975 * S).await;
            assert_eq!(ticks.skipped(), 976);
            assert_eq!(module.depth(), 1_024 + 2);
            assert_eq!(few.skipped(), 0, "each request has its own limit");
            ticks.stop();
            few.stop();
            stuck.release();
            assert_eq!(module.drain().await.unwrap().undelivered, 0, "what was skipped was never accepted");
            assert_eq!(log.len(), 1_026);
        });
    });
    let warnings: Vec<_> = events.iter().filter(|event| event.text.contains("skipped")).collect();
    assert_eq!(warnings.len(), 1, "{events:?}");
    assert!(warnings[0].text.contains("slow") && warnings[0].level == tracing::Level::WARN);
}

#[test]
fn t4_ticks_are_no_longer_skipped_once_the_handler_has_caught_up() {
    on_paused(|| async {
        let system = System::new();
        let (module, log) = clock(&system).await;
        let (holding, mut stuck) = hold();
        let slow = system.register_module(Puppet::default()).await.unwrap();
        let ticks = slow.request_tick(Note(1), S);
        slow.send(act(holding)).await.unwrap();
        stuck.begun().await;
        sleep(2_000 * S + MS).await;
        assert_eq!(ticks.skipped(), 976);
        stuck.release();
        settle().await;
        assert_eq!(slow.depth(), 0);
        sleep(500 * S).await;
        assert_eq!(ticks.skipped(), 976);
        // And they come when they did: at whole seconds.
        module.request_tick(At("after"), S);
        sleep(S + MS).await;
        assert_eq!(log.len(), 1);
        system.shutdown().await;
    });
}

/// All that passed while nothing ran counts, without being tried one by one.
#[test]
fn t4_a_long_pause_of_everything_neither_hangs_nor_grows_memory() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        let ticks = module.request_tick(Note(1), MS);
        tokio::time::advance(10_000 * S).await;
        eventually("they came", || log.len() >= 1_024).await;
        ticks.stop();
        module.drain().await.unwrap();
        let came = log.len() as u64 + ticks.skipped();
        assert!((10_000_000..10_000_000 + 20_000).contains(&came), "{came}");
        assert!(log.len() < 10_000, "{}", log.len());
    });
}

#[test]
fn t4_an_interval_of_zero_is_a_millisecond_and_starves_nobody() {
    on_paused(|| async {
        let system = System::new();
        let (module, log) = clock(&system).await;
        let zero = module.request_tick(At("zero"), Duration::ZERO);
        let nanos = module.request_tick(At("nanos"), Duration::from_nanos(1));
        sleep(10 * MS + MS / 2).await;
        zero.stop();
        nanos.stop();
        let all = log.take();
        for request in ["zero", "nanos"] {
            let times: Vec<_> = all.iter().filter(|(what, _)| *what == request).map(|(_, at)| *at).collect();
            assert_eq!(times, (1..=10).collect::<Vec<_>>());
        }
        system.shutdown().await;
    });
    for flavor in [Flavor::CurrentThread, Flavor::MultiThread] {
        flavor.run(|| async {
            let system = System::new();
            let module = system.register_module(Puppet::default()).await.unwrap();
            for _ in 0..10 {
                module.request_tick(Note(0), Duration::ZERO);
            }
            for number in 0..100 {
                assert_eq!(module.ask(Note(number)).await, Ok(number));
                sleep(MS).await;
            }
            system.shutdown().await;
        });
    }
}

/// More ticks than there is time for: what has to do with none of them goes on.
#[test]
fn t4_more_ticks_than_there_is_time_for_starve_nobody_else() {
    for flavor in [Flavor::CurrentThread, Flavor::MultiThread] {
        flavor.run(|| async {
            let system = System::new();
            let other = system.register_module(Puppet::default()).await.unwrap();
            let dropped = Drops::new();
            for _ in 0..50 {
                let module = system.register_module(Puppet::default().keeping(dropped.token())).await.unwrap();
                for _ in 0..50 {
                    module.request_tick(Note(0), Duration::ZERO);
                }
            }
            sleep(100 * MS).await;
            for number in 0..5 {
                let begun = Instant::now();
                assert_eq!(other.ask(Note(number)).await, Ok(number));
                assert!(begun.elapsed() < 2 * S, "{:?}", begun.elapsed());
            }
            let begun = Instant::now();
            system.shutdown().await;
            assert!(begun.elapsed() < 10 * S, "{:?}", begun.elapsed());
            assert_eq!(dropped.count(), 50);
        });
    }
}

#[test]
fn t4_an_interval_or_delay_beyond_the_clock_never_comes_and_harms_nobody() {
    on_paused(|| async {
        let system = System::new();
        let (module, log) = clock(&system).await;
        let never = module.request_tick(At("never"), Duration::MAX);
        let late = module.send_after(At("late"), Duration::MAX);
        module.request_tick(At("huge"), Duration::from_secs(u64::MAX / 4));
        module.request_tick(At("hourly"), 3_600 * S);
        sleep(3 * 3_600 * S + S).await;
        assert_eq!(log.len(), 3);
        assert!(log.take().iter().all(|(what, _)| *what == "hourly"));
        never.stop();
        late.stop();
        let report = module.stop().await.unwrap();
        assert_eq!(report.undelivered, 0, "a message that was called off is no loss");
        system.shutdown().await;
    });
}

#[test]
fn send_after_sends_once_after_the_delay_unless_it_is_stopped() {
    on_paused(|| async {
        let system = System::new();
        let (module, log) = clock(&system).await;
        let once = module.send_after(At("once"), 1_500 * MS);
        let called_off = module.send_after(At("never"), 2 * S);
        module.send_after(At("at once"), Duration::ZERO);
        sleep(1_600 * MS).await;
        called_off.stop();
        once.stop();
        sleep(10 * S).await;
        let all = log.all();
        assert_eq!(all.len(), 2);
        assert!(all[0].0 == "at once" && all[0].1 <= 1, "{all:?}");
        assert_eq!(all[1], ("once", 1_500));
        assert_eq!(module.stop().await.unwrap().undelivered, 0);
        system.shutdown().await;
    });
}

#[test]
fn send_after_to_a_module_that_stops_first_counts_as_undelivered() {
    on_paused(|| async {
        let system = System::new();
        let (module, log) = clock(&system).await;
        module.send_after(At("late"), S);
        module.send_after(At("late"), 2 * S);
        sleep(500 * MS).await;
        assert_eq!(module.stop().await.unwrap().undelivered, 2);
        sleep(5 * S).await;
        assert!(log.is_empty());
        assert_eq!(system.shutdown().await.undelivered, 0, "that module had ended before");
    });
}

/// While a module is in its stop hook its ticks come to nothing, and their messages are dropped: also where that panics.
#[test]
fn t3_a_tick_message_whose_drop_panics_leaves_the_ticks_of_others_alone() {
    #[derive(Clone)]
    struct Bomb(Arc<AtomicBool>);
    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0.load(Ordering::SeqCst) {
                std::panic::resume_unwind(Box::new("a tick's drop"));
            }
        }
    }
    impl Handler<Bomb> for Puppet {
        type Reply = ();
        async fn handle(&mut self, _: Bomb, _: &mut Context<Self>) {}
    }
    on_paused(|| async {
        let system = System::new();
        let (other, log) = clock(&system).await;
        other.request_tick(At("tick"), S);
        let armed = Arc::new(AtomicBool::new(false));
        let slow_stop = Puppet::default().on_stop(|_| {
            Box::pin(async {
                sleep(5 * S).await;
                Ok(())
            })
        });
        let module = system.register_module(slow_stop).await.unwrap();
        module.request_tick(Bomb(armed.clone()), S);
        sleep(1_500 * MS).await;
        armed.store(true, Ordering::SeqCst);
        module.stop().await.unwrap();
        armed.store(false, Ordering::SeqCst);
        drop(log.take());
        sleep(3 * S).await;
        assert_eq!(log.len(), 3, "the other module still ticks");
        // And deadlines still pass.
        let late = other.request_tick(At("tick"), 3_600 * S);
        late.stop();
        let stuck = system.register_module(Puppet::default()).await.unwrap();
        let held = held(&stuck).await;
        assert!(matches!(stuck.ask(Note(1)).await, Err(AskError::Timeout { .. })));
        held.release();
        system.shutdown().await;
    });
}

#[test]
fn t3_a_tick_message_whose_clone_panics_ends_its_own_request_alone() {
    struct Uncloneable;
    impl Clone for Uncloneable {
        fn clone(&self) -> Self {
            std::panic::resume_unwind(Box::new("a tick's clone"));
        }
    }
    impl Handler<Uncloneable> for Puppet {
        type Reply = ();
        async fn handle(&mut self, _: Uncloneable, _: &mut Context<Self>) {}
    }
    on_paused(|| async {
        let system = System::new();
        let (module, log) = clock(&system).await;
        module.request_tick(At("tick"), S);
        let other = system.register_module(Puppet::default()).await.unwrap();
        other.request_tick(Uncloneable, S);
        sleep(3_500 * MS).await;
        assert_eq!(log.len(), 3);
        assert_eq!(other.ask(Note(1)).await, Ok(1));
        system.shutdown().await;
    });
}

/// A tick may be requested and stopped by a handler of the tick itself.
#[test]
fn t3_a_request_may_be_stopped_by_the_handler_that_it_calls() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        let slot: Arc<std::sync::Mutex<Option<TimerHandle>>> = Arc::default();
        *slot.lock().unwrap() = Some(module.request_tick(Note(1), S));
        sleep(2_500 * MS).await;
        let stops = slot.clone();
        module.ask(act(async move { stops.lock().unwrap().take().unwrap().stop() })).await.unwrap();
        sleep(5 * S).await;
        assert_eq!(log.all(), [1, 1]);
        system.shutdown().await;
    });
}

/// Counts half minutes.
#[module]
struct HalfMinutes {
    count: u64,
}

#[module]
impl HalfMinutes {
    #[tick(every = "30s")]
    fn half_minute(&mut self) {
        self.count += 1;
    }

    #[handler(CountHalfMinutes)]
    fn count(&self) -> u64 {
        self.count
    }
}

#[test]
fn t1_a_declared_tick_counts_from_the_registration() {
    on_paused(|| async {
        let system = System::new();
        let module = system.register_module(HalfMinutes { count: 0 }).await.unwrap();
        // Without a turn for the module in between.
        tokio::time::advance(30 * S).await;
        settle().await;
        tokio::time::advance(MS).await;
        settle().await;
        assert_eq!(module.ask(CountHalfMinutes).await.unwrap(), 1);
        system.shutdown().await;
    });
}
