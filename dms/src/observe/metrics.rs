//! What modules do, as metrics of the facade `metrics` (feature `metrics`).

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use tokio::time::sleep;

use super::{Counters, Histogram, TypeStatistics};
use crate::system::SystemRef;

/// Mirrors what the modules of a system do to the recorder of the crate [`metrics`](https://docs.rs/metrics).
///
/// | metric | kind | what it is |
/// |--|--|--|
/// | `dms_modules` | gauge | modules that live |
/// | `dms_mailbox_depth` | gauge | messages that wait |
/// | `dms_messages_accepted_total` | counter | messages that were accepted |
/// | `dms_messages_handled_total` | counter | messages whose handling has ended |
/// | `dms_messages_undelivered_total` | counter | messages that were not handled because the module ended |
/// | `dms_messages_dropped_total` | counter | messages that a full mailbox dropped |
/// | `dms_messages_refused_total` | counter | messages that were not accepted |
/// | `dms_module_panics_total` | counter | panics of handlers, hooks and tasks |
/// | `dms_module_restarts_total` | counter | how often modules were started again |
/// | `dms_message_wait_seconds` | histogram | how long messages waited, of those that are measured |
/// | `dms_message_handle_seconds` | histogram | how long their handling took |
///
/// Each has two labels: `system`, the system's name, and `module`, what modules of the type are called: the `name` of `#[module]`, else that of the type. So there are as many series as there are types of modules, however
/// many modules come and go; those of a type are taken together, the ones that have ended among them.
///
/// The exporter reads [snapshots](SystemRef::snapshot) and hands on what is new since the last: a message costs nothing more for it. Durations are recorded as the longest of their bucket in a [`Histogram`].
///
/// ```
/// use dms::observe::MetricsExporter;
/// use dms::prelude::*;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let system = System::builder("shop").build();
/// // Install a recorder first, such as that of `metrics-exporter-prometheus`.
/// let exporter = tokio::spawn(MetricsExporter::new(&system).run(Duration::from_secs(10)));
/// system.shutdown().await;
/// exporter.await.unwrap();
/// # }
/// ```
#[derive(Debug)]
pub struct MetricsExporter {
    system: SystemRef,
    /// The name, also once the system is gone.
    name: String,
    /// What has been handed on.
    exported: BTreeMap<&'static str, Counters>,
}

impl MetricsExporter {
    /// Makes an exporter for a system, and describes the metrics to the recorder. All that the modules have done so far is new to it: one exporter a system.
    #[must_use]
    pub fn new(system: &SystemRef) -> Self {
        describe();
        Self { system: system.clone(), name: system.name(), exported: BTreeMap::new() }
    }

    /// Hands on what is new since the last time. Where the recorder is asked for it, as by a scrape, call this before.
    pub fn export(&mut self) {
        for of_type in self.system.snapshot().types {
            let before = self.exported.entry(of_type.name).or_default();
            let before = mem::replace(before, of_type.counters.clone());
            export_type(&self.name, &of_type, &before);
        }
    }

    /// Exports each `every`, until the system has shut down, and once more then. An interval below a millisecond is taken as one.
    ///
    /// # Cancel safety
    /// Dropped, it stops exporting; what was new since the last time is not handed on.
    pub async fn run(mut self, every: Duration) {
        let every = every.max(Duration::from_millis(1));
        let system = self.system.clone();
        let mut ended = pin!(async {
            // It fails, which begins its shutdown, or has shut down.
            system.failed().await;
            system.shutdown().await;
        });
        loop {
            let mut interval = pin!(sleep(every));
            let has_ended = poll_fn(|cx| match ended.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending => interval.as_mut().poll(cx).map(|()| false),
            });
            let has_ended = has_ended.await;
            self.export();
            if has_ended {
                return;
            }
        }
    }
}

/// Where a metric comes from.
type Count = fn(&Counters) -> u64;
type Times = fn(&Counters) -> &Histogram;

/// Metrics: their names, what they are, and where they come from.
const COUNTERS: [(&str, &str, Count); 7] = [
    ("dms_messages_accepted_total", "Messages that were accepted.", |counters| counters.accepted),
    ("dms_messages_handled_total", "Messages whose handling has ended.", |counters| counters.handled),
    (
        "dms_messages_undelivered_total",
        "Messages that were accepted and not handled because the module ended.",
        |counters| counters.undelivered,
    ),
    ("dms_messages_dropped_total", "Messages that were accepted and dropped by a full mailbox.", |counters| {
        counters.dropped
    }),
    ("dms_messages_refused_total", "Messages that were not accepted.", |counters| counters.refused),
    ("dms_module_panics_total", "Panics of handlers, hooks and tasks.", |counters| counters.panics),
    ("dms_module_restarts_total", "How often modules were started again.", |counters| counters.restarts),
];

const HISTOGRAMS: [(&str, &str, Times); 2] = [
    ("dms_message_wait_seconds", "How long messages waited, of those that are measured.", |counters| {
        &counters.wait_time
    }),
    ("dms_message_handle_seconds", "How long messages were handled, of those that are measured.", |counters| {
        &counters.handle_time
    }),
];

const MODULES: &str = "dms_modules";
const DEPTH: &str = "dms_mailbox_depth";

fn describe() {
    describe_gauge!(MODULES, Unit::Count, "Modules that live.");
    describe_gauge!(DEPTH, Unit::Count, "Messages that wait.");
    for (name, text, _) in COUNTERS {
        describe_counter!(name, Unit::Count, text);
    }
    for (name, text, _) in HISTOGRAMS {
        describe_histogram!(name, Unit::Seconds, text);
    }
}

fn export_type(system: &str, of_type: &TypeStatistics, before: &Counters) {
    let labels = [("system", system.to_owned()), ("module", of_type.name.to_owned())];
    // A gauge is an `f64`, and what is counted here is far below the numbers that one does not know.
    #[allow(clippy::cast_precision_loss, reason = "see above")]
    for (name, value) in [(MODULES, of_type.living as f64), (DEPTH, of_type.depth as f64)] {
        metrics::gauge!(name, &labels).set(value);
    }
    for (name, _, count) in COUNTERS {
        metrics::counter!(name, &labels).increment(count(&of_type.counters).saturating_sub(count(before)));
    }
    for (name, _, times) in HISTOGRAMS {
        let histogram = metrics::histogram!(name, &labels);
        for (duration, count) in times(&of_type.counters).since(times(before)) {
            histogram.record_many(duration.as_secs_f64(), usize::try_from(count).unwrap_or(usize::MAX));
        }
    }
}
