//! Ending all modules in order (contract L2).

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::failure::SystemFailure;
use super::published::Published;
use super::registry::Shared;
use crate::module::cell::AnyCell;
use crate::module::{ModuleReport, ModuleState, current};

/// How long a module that was cut off may take to go: only one that blocks its thread takes any time.
const CUT_OFF: Duration = Duration::from_secs(1);

/// How long a module has that comes to its turn at the deadline or later.
const LAST_CHANCE: Duration = Duration::from_millis(10);

/// What a shutdown did.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// How each module ended, in the order in which they did.
    pub modules: Vec<ModuleReport>,
    /// Accepted messages of these modules that were never handled.
    pub undelivered: u64,
    /// The names of the modules that the deadline cut off, or whose handler blocks its thread still.
    pub overran: Vec<String>,
    /// The failure of a module that the system cannot do without, where there was one: it is why the system shut down, or came while it did.
    pub failure: Option<SystemFailure>,
    /// False where a module of the system asked: the shutdown has begun, and goes on when the module's handler returns.
    pub complete: bool,
}

/// Where the shutdown of a system stands. It runs in a task of its own, so that it goes on when whoever asked does not wait.
#[derive(Default)]
pub(super) struct Shutdown {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    begun: bool,
    deadline: Option<Instant>,
    driver: Option<JoinHandle<()>>,
    report: Option<Arc<ShutdownReport>>,
    failure: Option<SystemFailure>,
}

impl Shutdown {
    /// Ready when something changes: it begins, it is over, its deadline, a failure.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Whether all has ended.
    pub(super) fn is_over(&self) -> bool {
        self.state.lock().report.is_some()
    }

    pub(super) fn failure(&self) -> Option<SystemFailure> {
        self.state.lock().failure.clone()
    }

    /// Keeps the first failure.
    pub(super) fn fail(&self, failure: SystemFailure) {
        self.state.lock().failure.get_or_insert(failure);
        self.changed.notify_waiters();
    }
}

/// Begins the shutdown, or joins in the one that runs; the earliest deadline of all counts.
pub(super) fn begin(shared: &Arc<Shared>, within: Option<Duration>) {
    let shutdown = &shared.shutdown;
    let mut state = shutdown.state.lock();
    if let Some(deadline) = within.and_then(|within| Instant::now().checked_add(within)) {
        state.deadline = Some(state.deadline.map_or(deadline, |earlier| earlier.min(deadline)));
        shutdown.changed.notify_waiters();
    }
    if state.begun {
        return;
    }
    state.begun = true;
    drop(state);
    shutdown.changed.notify_waiters();
    let modules = shared.close();
    // No handler begins from here on, whichever module it belongs to; only stop hooks are answered.
    for module in &modules {
        module.quiesce(0);
    }
    let announced = shared.announce_shutdown();
    let outcome =
        Outcome { shared: Arc::clone(shared), report: ShutdownReport { complete: true, ..ShutdownReport::default() } };
    // Without a runtime no module was ever registered.
    if let Some(runtime) = shared.environment.runtime() {
        #[expect(clippy::disallowed_methods, reason = "`report` joins it")]
        let driver = runtime.spawn(drive(outcome, modules, announced));
        shutdown.state.lock().driver = Some(driver);
    }
}

/// Makes the report known, also where the runtime went down with the modules and the driver with it.
struct Outcome {
    shared: Arc<Shared>,
    report: ShutdownReport,
}

impl Drop for Outcome {
    fn drop(&mut self) {
        let shutdown = &self.shared.shutdown;
        let mut state = shutdown.state.lock();
        self.report.failure = state.failure.clone();
        state.report = Some(Arc::new(std::mem::take(&mut self.report)));
        drop(state);
        shutdown.changed.notify_waiters();
    }
}

/// Waits until a shutdown begins that somebody else asked for.
pub(super) async fn begun(shared: &Shared) {
    let shutdown = &shared.shutdown;
    loop {
        let mut changed = pin!(shutdown.changed.notified());
        changed.as_mut().enable();
        if shutdown.state.lock().begun {
            return;
        }
        changed.await;
    }
}

/// Waits for the report; at once, and incomplete, where a module of the system itself asks.
pub(super) async fn report(shared: &Arc<Shared>) -> ShutdownReport {
    let inside = current::with(|current| {
        current.is_some_and(|current| Arc::ptr_eq(&current.core().environment, &shared.environment))
    });
    if inside {
        return ShutdownReport::default();
    }
    let shutdown = &shared.shutdown;
    loop {
        let mut changed = pin!(shutdown.changed.notified());
        changed.as_mut().enable();
        let (report, driver) = {
            let mut state = shutdown.state.lock();
            let report = state.report.clone();
            let driver = if report.is_some() { state.driver.take() } else { None };
            (report, driver)
        };
        if let Some(report) = report {
            if let Some(driver) = driver {
                // The report is the driver's last act; if the task was cancelled the runtime went down.
                let _ = driver.await;
            }
            return (*report).clone();
        }
        changed.await;
    }
}

async fn drive(mut outcome: Outcome, modules: Vec<Arc<dyn AnyCell>>, announced: Published) {
    let shared = Arc::clone(&outcome.shared);
    let report = &mut outcome.report;
    tracing::debug!(system = shared.name, modules = modules.len(), "shutting down");
    // No stop hook runs before all have heard of it; who has not by the deadline is told no longer.
    before_deadline(&shared, announced).await;
    for module in modules {
        module.begin_drain();
        let core = module.core();
        if !before_deadline(&shared, core.wait_until(ModuleState::is_ended)).await {
            report.overran.push(core.name());
            let end = core.end.lock();
            if let Some(worker) = &end.worker {
                worker.abort();
            }
            drop(end);
        }
        let worker = core.end.lock().worker.take();
        if let Some(worker) = worker {
            // The worker contains its module's panics; one that blocks its thread is left behind, and named.
            // One that was cut off while an asker ran its handler ends with the handler.
            let ended = async {
                // A task that was cut off is what was asked for.
                let _ = worker.await;
                core.wait_until(ModuleState::is_ended).await
            };
            let _ = timeout(CUT_OFF, ended).await;
        }
        let module = core.report();
        report.undelivered += module.undelivered;
        report.modules.push(module);
    }
    shared.join_errands().await;
    shared.end_watchdog();
    shared.environment.timers.join().await;
}

/// Waits for `future`; false where the deadline passes first, which may be set or moved forward meanwhile.
///
/// What comes to its turn after the deadline has a last chance: it is not to pay for the one before.
async fn before_deadline(shared: &Shared, future: impl Future) -> bool {
    let shutdown = &shared.shutdown;
    let last_chance = Instant::now() + LAST_CHANCE;
    let mut future = pin!(future);
    loop {
        let mut changed = pin!(shutdown.changed.notified());
        changed.as_mut().enable();
        let deadline = shutdown.state.lock().deadline.map(|deadline| deadline.max(last_chance));
        let mut passed = pin!(deadline.map(sleep_until));
        let ended = std::future::poll_fn(|cx| {
            if future.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Some(true));
            }
            if let Some(passed) = passed.as_mut().as_pin_mut()
                && passed.poll(cx).is_ready()
            {
                return Poll::Ready(Some(false));
            }
            changed.as_mut().poll(cx).map(|()| None)
        });
        if let Some(ended) = ended.await {
            return ended;
        }
    }
}
