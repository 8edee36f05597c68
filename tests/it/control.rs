//! M7: control does not wait behind messages.

use dms::{AskError, ModuleState, System};
use dms_tests::{Flavor, Log, Note, Puppet, act_in, eventually, held, on_every_runtime, puppet, settle};

#[test]
fn m7_a_stop_overtakes_ten_thousand_queued_messages() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        let held = held(&module).await;
        for number in 0..10_000 {
            module.try_send(Note(number)).unwrap();
        }
        let mut stop = std::pin::pin!(module.stop());
        assert!(futures::poll!(stop.as_mut()).is_pending());
        held.release();
        let report = stop.await.unwrap();
        assert_eq!((report.state, report.undelivered), (ModuleState::Stopped, 10_000));
        assert!(log.is_empty());
    });
}

/// Also what the worker has taken over as its batch is overtaken.
#[test]
fn m7_a_stop_overtakes_the_batch_in_hand() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        let held = held(&module).await;
        for number in 0..5 {
            module.try_send(Note(number)).unwrap();
        }
        module.try_send(act_in(|ctx| Box::pin(async move { ctx.stop().unwrap() }))).unwrap();
        for number in 5..10 {
            module.try_send(Note(number)).unwrap();
        }
        held.release();
        let report = module.stopped().await;
        assert_eq!((report.state, report.undelivered), (ModuleState::Stopped, 5));
        assert_eq!(log.all(), [0, 1, 2, 3, 4]);
        system.shutdown().await;
    });
}

#[test]
fn m7_a_stop_gets_through_to_a_module_under_constant_load() {
    Flavor::MultiThread.run(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        let load: Vec<_> = (0..2)
            .map(|_| {
                let module = module.clone();
                tokio::spawn(async move {
                    let mut accepted = 0_u64;
                    while module.try_send(Note(0)).is_ok() {
                        accepted += 1;
                        if accepted.is_multiple_of(256) {
                            tokio::task::yield_now().await;
                        }
                    }
                    accepted
                })
            })
            .collect();
        eventually("it works", || log.len() > 1_000).await;
        let report = module.stop().await.unwrap();
        let mut accepted = 0;
        for load in load {
            accepted += load.await.unwrap();
        }
        assert_eq!(accepted, log.len() as u64 + report.undelivered);
    });
}

#[test]
fn m7_a_drain_handles_what_waits_refuses_what_comes_and_then_stops() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let stop = log.clone();
        let module = puppet(&log).on_stop(move |_| {
            Box::pin(async move {
                stop.push(99);
                Ok(())
            })
        });
        let module = system.register_module(module).name("name").await.unwrap();
        let held = held(&module).await;
        for number in 0..100 {
            module.send(Note(number)).await.unwrap();
        }
        let asked = tokio::spawn({
            let module = module.clone();
            async move { module.ask(Note(100)).await }
        });
        eventually("it asks", || module.depth() == 101).await;
        let mut drain = std::pin::pin!(system.drain("name"));
        assert!(futures::poll!(drain.as_mut()).is_pending());
        assert_eq!(module.try_send(Note(0)).unwrap_err().into_message(), Note(0));
        assert!(matches!(module.ask(Note(0)).await, Err(AskError::Stopped { .. })));
        held.release();
        assert_eq!(asked.await.unwrap(), Ok(100));
        let report = drain.await.unwrap();
        assert_eq!((report.state, report.undelivered), (ModuleState::Stopped, 0));
        assert_eq!(log.all(), (0..=100).chain([99]).collect::<Vec<_>>());
    });
}

#[test]
fn m7_a_stop_overtakes_a_drain() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(puppet(&log)).await.unwrap();
        let held = held(&module).await;
        for number in 0..100 {
            module.send(Note(number)).await.unwrap();
        }
        let (mut drain, mut stop) = (std::pin::pin!(module.drain()), std::pin::pin!(module.stop()));
        assert!(futures::poll!(drain.as_mut()).is_pending());
        assert!(futures::poll!(stop.as_mut()).is_pending());
        held.release();
        assert_eq!((drain.await.unwrap().undelivered, stop.await.unwrap().undelivered), (100, 100));
        assert!(log.is_empty());
    });
}

#[test]
fn m7_stop_may_be_called_again_and_by_many() {
    on_every_runtime(|| async {
        let system = System::new();
        let stops = Log::new();
        let log = stops.clone();
        let module = Puppet::default().on_stop(move |_| {
            Box::pin(async move {
                log.push(1);
                Ok(())
            })
        });
        let module = system.register_module(module).await.unwrap();
        let many: Vec<_> = (0..10)
            .map(|number| {
                let module = module.clone();
                tokio::spawn(async move {
                    if number % 2 == 0 { module.stop().await.unwrap() } else { module.drain().await.unwrap() }
                })
            })
            .collect();
        for stop in many {
            assert_eq!(stop.await.unwrap().state, ModuleState::Stopped);
        }
        assert_eq!(module.stop().await.unwrap().state, ModuleState::Stopped);
        assert_eq!(stops.len(), 1);
        settle().await;
    });
}
