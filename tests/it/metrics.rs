//! What modules do, as metrics of the facade `metrics`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dms::observe::MetricsExporter;
use dms::prelude::*;
use dms_tests::{on_paused, settle};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

/// What was recorded: the series by its name and labels.
#[derive(Clone, Default)]
struct Recorded(Arc<Mutex<BTreeMap<String, Vec<f64>>>>);

/// One series of it.
struct Series {
    recorded: Recorded,
    name: String,
}

impl Series {
    fn of(recorded: &Recorded, key: &Key) -> Arc<Self> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Self { recorded: recorded.clone(), name: format!("{} {}", key.name(), labels.join(" ")) })
    }

    fn change(&self, change: impl FnOnce(&mut Vec<f64>)) {
        change(self.recorded.0.lock().unwrap().entry(self.name.clone()).or_default());
    }
}

#[allow(clippy::cast_precision_loss, reason = "they are few")]
impl CounterFn for Series {
    fn increment(&self, value: u64) {
        self.change(|values| {
            let sum = values.pop().unwrap_or_default();
            values.push(sum + value as f64);
        });
    }

    fn absolute(&self, value: u64) {
        self.change(|values| *values = vec![value as f64]);
    }
}

impl GaugeFn for Series {
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        self.change(|values| *values = vec![value]);
    }
}

impl HistogramFn for Series {
    fn record(&self, value: f64) {
        self.change(|values| values.push(value));
    }
}

impl Recorder for Recorded {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Series::of(self, key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Series::of(self, key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Series::of(self, key))
    }
}

impl Recorded {
    fn values(&self, series: &str) -> Vec<f64> {
        self.0.lock().unwrap().get(series).cloned().unwrap_or_else(|| panic!("no `{series}`"))
    }

    fn value(&self, name: &str, module: &str) -> f64 {
        self.values(&format!("{name} system=shop module={module}"))[0]
    }
}

#[module]
struct Worker;

#[module]
impl Worker {
    #[handler(Work)]
    async fn work(&mut self, millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    #[handler(Fail)]
    fn fail(&mut self) {
        std::panic::resume_unwind(Box::new("told to"));
    }
}

#[module(name = "store", mailbox = 1, overflow = reject)]
struct Store;

#[module]
impl Store {
    #[handler(Put)]
    fn put(&mut self) {}
}

fn export(exporter: &mut MetricsExporter, recorder: &Recorded) {
    metrics::with_local_recorder(recorder, || exporter.export());
}

#[test]
fn ten_thousand_modules_of_a_type_are_eleven_series_and_those_that_ended_stay_counted() {
    on_paused(|| async {
        let recorder = Recorded::default();
        let system = System::builder("shop").build();
        let mut exporter = MetricsExporter::new(&system);
        for round in 1..=10_u32 {
            let mut workers = Vec::new();
            for _ in 0..1_000 {
                let worker = system.register_module(Worker).await.unwrap();
                worker.try_send(Work { millis: 30 }).unwrap();
                workers.push(worker);
            }
            settle().await;
            export(&mut exporter, &recorder);
            assert!((recorder.value("dms_modules", "Worker") - 1_000.0).abs() < 0.5);
            for worker in workers {
                worker.drain().await.unwrap();
            }
            export(&mut exporter, &recorder);
            let handled = recorder.value("dms_messages_handled_total", "Worker");
            assert!((handled - 1_000.0 * f64::from(round)).abs() < 0.5, "{handled} in round {round}");
            assert!(recorder.value("dms_modules", "Worker").abs() < 0.5);
        }
        let times = recorder.values("dms_message_handle_seconds system=shop module=Worker");
        assert_eq!(times.len(), 10_000);
        assert!(times.iter().all(|time| (time - 0.03).abs() < 1e-9), "exact: they are alike");
        let series: Vec<_> = recorder.0.lock().unwrap().keys().cloned().collect();
        assert_eq!(series.len(), 11, "{series:?}");
        system.shutdown().await;
    });
}

#[test]
fn what_has_been_handed_on_is_not_handed_on_again() {
    on_paused(|| async {
        let recorder = Recorded::default();
        let system = System::builder("shop").build();
        let worker = system.register_module(Worker).await.unwrap();
        let store = system.register_module(Store).await.unwrap();
        let mut exporter = MetricsExporter::new(&system);
        store.try_send(Put).unwrap();
        store.try_send(Put).unwrap_err();
        worker.send(Fail).await.unwrap();
        settle().await;
        for _ in 0..3 {
            export(&mut exporter, &recorder);
        }
        for (name, module, value) in [
            ("dms_messages_accepted_total", "store", 1.0),
            ("dms_messages_handled_total", "store", 1.0),
            ("dms_messages_refused_total", "store", 1.0),
            ("dms_module_panics_total", "Worker", 1.0),
            ("dms_modules", "Worker", 0.0),
            ("dms_modules", "store", 1.0),
            ("dms_mailbox_depth", "store", 0.0),
        ] {
            let seen = recorder.value(name, module);
            assert!((seen - value).abs() < 0.5, "{name} of {module} is {seen}");
        }
        assert_eq!(recorder.values("dms_message_wait_seconds system=shop module=store").len(), 1);
        system.shutdown().await;
    });
}

#[test]
fn an_exporter_that_runs_ends_with_the_system_after_a_last_export() {
    let recorder = Recorded::default();
    // The recorder of the thread, on which all of it runs.
    let _guard = metrics::set_default_local_recorder(&recorder);
    on_paused(|| async {
        let system = System::builder("shop").build();
        let worker = system.register_module(Worker).await.unwrap();
        let exporter = tokio::spawn(MetricsExporter::new(&system).run(Duration::from_secs(10)));
        worker.ask(Work { millis: 1 }).await.unwrap();
        tokio::time::sleep(Duration::from_secs(11)).await;
        assert!((recorder.value("dms_messages_handled_total", "Worker") - 1.0).abs() < 0.5);
        worker.ask(Work { millis: 1 }).await.unwrap();
        system.shutdown().await;
        exporter.await.unwrap();
        assert!((recorder.value("dms_messages_handled_total", "Worker") - 2.0).abs() < 0.5);
    });
}
