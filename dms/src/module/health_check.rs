//! Checks of a module's health: when they are due, who runs them, and what comes of them.
//!
//! The judge stands outside the module's task: it is a source of the system's timers. When a check is due it tells the worker, which takes it between two handlers, ahead
//! of all messages. A check that has not come to its end by its timeout has failed, whatever the reason: the check itself may take too long, and then it is dropped; or
//! the module does not come to it, for a handler runs.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::cell::{AnyCell, Core, control};
use super::context::Context;
use super::current;
use super::deadline::Deadline;
use super::error::ModuleError;
use super::handler::Module;
use super::lifecycle::{Failure, ModuleState};
use super::module_ref::ModuleRef;
use super::timers::{Fired, Key, Source};
use super::worker::panic_text;
use crate::recovery::{HealthMonitor, HealthStatus, HealthThresholds};

/// The shortest interval between two checks; what is shorter is taken as this.
const SHORTEST: Duration = Duration::from_millis(1);

/// The health check of a module, as `#[health]` writes it.
pub struct HealthCheck<T: Module> {
    every: Duration,
    timeout: Duration,
    thresholds: HealthThresholds,
    message: fn() -> T::Message,
}

impl<T: Module> HealthCheck<T> {
    /// Describes the check that the message of `message` runs: each 10 s, for 5 s at most.
    #[must_use]
    pub const fn new(message: fn() -> T::Message) -> Self {
        Self {
            every: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            thresholds: HealthThresholds::DEFAULT,
            message,
        }
    }

    /// Runs it each `every`.
    #[must_use]
    pub const fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// Gives it so long.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// So many failures in a row make the module unhealthy.
    #[must_use]
    pub const fn failures(mut self, failures: u32) -> Self {
        self.thresholds.failures = failures;
        self
    }

    /// So many successes in a row heal it.
    #[must_use]
    pub const fn successes(mut self, successes: u32) -> Self {
        self.thresholds.successes = successes;
        self
    }

    /// The message that runs it.
    pub(crate) fn message(&self) -> T::Message {
        (self.message)()
    }

    /// Has the incarnation that begins now checked, first after one interval.
    pub(crate) fn begin(&self, cell: &Arc<dyn AnyCell>) {
        let core = cell.core();
        let incarnation = core.incarnation();
        let every = self.every.max(SHORTEST);
        let checks = Checks {
            incarnation,
            timeout: self.timeout,
            failures: self.thresholds.failures.max(1),
            monitor: HealthMonitor::new(self.thresholds),
            handler: "run",
            pending: None,
            last: 0,
            schedule: None,
        };
        core.with_health(|health| health.checks = Some(Box::new(checks)));
        let Some(due) = Instant::now().checked_add(every) else { return };
        core.is_timed.store(true, Ordering::Release);
        let schedule = Schedule { cell: Arc::clone(cell), incarnation, every, due };
        let environment = &core.environment;
        let key = environment.timers.request(environment, Some(core.id), Box::new(schedule), Some(due), Some(every));
        core.look_at_health(|health| {
            if let Some(checks) = &mut health.checks {
                checks.schedule = key;
            }
        });
    }
}

impl<T: Module> fmt::Debug for HealthCheck<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthCheck")
            .field("every", &self.every)
            .field("timeout", &self.timeout)
            .field("thresholds", &self.thresholds)
            .finish_non_exhaustive()
    }
}

/// What a health check may return: a [`HealthStatus`], a `bool`, or a `Result` of nothing or of a [`HealthStatus`].
#[diagnostic::on_unimplemented(
    message = "a health check cannot return `{Self}`",
    label = "not `HealthStatus`, `bool` or `Result<(), E>`",
    note = "return `HealthStatus`, `bool`, or `Result<(), ModuleError>` (any error turns into a `ModuleError` with `?`)"
)]
pub trait HealthOutput {
    /// What the check says.
    fn into_status(self) -> HealthStatus;
}

impl HealthOutput for HealthStatus {
    fn into_status(self) -> HealthStatus {
        self
    }
}

impl HealthOutput for bool {
    fn into_status(self) -> HealthStatus {
        if self { HealthStatus::Healthy } else { HealthStatus::Unhealthy("the check says `false`".to_owned()) }
    }
}

impl<E: Into<ModuleError>> HealthOutput for Result<(), E> {
    fn into_status(self) -> HealthStatus {
        self.map(|()| HealthStatus::Healthy).into_status()
    }
}

impl<E: Into<ModuleError>> HealthOutput for Result<HealthStatus, E> {
    fn into_status(self) -> HealthStatus {
        self.unwrap_or_else(|error| HealthStatus::Unhealthy(error.into().chain()))
    }
}

/// What a health check says.
pub fn health(output: impl HealthOutput) -> HealthStatus {
    output.into_status()
}

/// The checks of an incarnation. They lie under the lock of the module's end.
pub(crate) struct Checks {
    incarnation: u32,
    timeout: Duration,
    /// How many failures in a row are too many.
    failures: u32,
    monitor: HealthMonitor,
    /// What runs, or ran last.
    handler: &'static str,
    pending: Option<Pending>,
    /// The number of the last check.
    last: u64,
    schedule: Option<Key>,
}

/// A check that has been asked for and says nothing yet.
struct Pending {
    number: u64,
    /// When it has failed.
    deadline: Instant,
    /// The check that runs, once it waits for something.
    waker: Option<Waker>,
    has_begun: bool,
    /// Who waits for what it says.
    askers: Vec<oneshot::Sender<HealthStatus>>,
}

/// How a check came to its end, as far as the rest of the system is concerned.
struct Verdict {
    /// What it says.
    check: HealthStatus,
    pending: Pending,
    /// How the module is now, where that is not what it was.
    changed: Option<HealthStatus>,
    failures: u32,
    incarnation: u32,
}

impl Checks {
    /// Asks for a check.
    fn ask(&mut self, now: Instant) {
        self.last += 1;
        let deadline = now + self.timeout;
        self.pending = Some(Pending { number: self.last, deadline, waker: None, has_begun: false, askers: Vec::new() });
    }
}

impl Core {
    /// Notes what runs, for who finds that it does not end.
    #[inline]
    pub(crate) fn note_handler(&self, handler: &'static str) {
        self.look_at_health(|health| {
            if let Some(checks) = &mut health.checks {
                checks.handler = handler;
            }
        });
    }

    /// Asks for no further check: the incarnation ends.
    pub(crate) fn end_checks(&self) {
        let checks = self.look_at_health(|health| health.checks.take()).flatten();
        if let Some(key) = checks.as_ref().and_then(|checks| checks.schedule) {
            self.environment.timers.stop(key);
        }
    }

    /// Whether the module is such as can be checked: it runs, and is not about to end.
    fn is_checkable(&self) -> bool {
        self.state() == ModuleState::Running && !self.has(control::ENDS | control::RENEW | control::RELOAD)
    }

    /// Takes in what the check of this number says, unless that comes too late.
    fn take_in(
        &self,
        incarnation: u32,
        said: impl FnOnce(&Checks, &Pending) -> Option<HealthStatus>,
    ) -> Option<Verdict> {
        let is_checkable = self.is_checkable();
        self.look_at_health(|health| {
            let checks = health.checks.as_mut().filter(|checks| checks.incarnation == incarnation)?;
            let check = said(checks, checks.pending.as_ref()?)?;
            let pending = checks.pending.take()?;
            let (mut changed, failures) = (None, checks.failures);
            // Of what ends anyway nothing is said any more.
            if is_checkable {
                changed = checks.monitor.record(check.clone()).cloned();
                let status = checks.monitor.status().clone();
                health.set(self, status);
            }
            Some(Verdict { check, pending, changed, failures, incarnation })
        })
        .flatten()
    }

    /// Ends the check that is under way, if its time is over.
    fn expire(&self, incarnation: u32, now: Instant) -> Option<Verdict> {
        self.take_in(incarnation, |checks, pending| {
            let (timeout, handler) = (checks.timeout, checks.handler);
            (pending.deadline <= now).then(|| {
                HealthStatus::Unhealthy(if pending.has_begun {
                    too_long(handler, timeout)
                } else {
                    format!("no answer within {timeout:?}: `{handler}` runs")
                })
            })
        })
    }
}

fn too_long(check: &str, timeout: Duration) -> String {
    format!("`{check}` took longer than {timeout:?}")
}

impl Verdict {
    /// Tells everybody concerned, once no lock is held.
    fn act(self, cell: &dyn AnyCell) {
        let Self { check, pending, changed, failures, incarnation } = self;
        let core = cell.core();
        core.tell_health();
        match changed {
            Some(HealthStatus::Healthy) => tracing::info!(module = %core.name(), "module is healthy again"),
            Some(HealthStatus::Degraded(reason)) => {
                tracing::warn!(module = %core.name(), reason, "module is degraded");
            }
            // What follows is logged: the module has failed.
            Some(HealthStatus::Unhealthy(reason)) => {
                let failure = Failure::Health { reason, failures };
                if pending.has_begun {
                    cell.break_off(Some(incarnation), failure);
                } else {
                    // The handler that runs may never end.
                    cell.cut_off(incarnation, failure);
                }
            }
            None => {}
        }
        for asker in pending.askers {
            // Who does not want to know any more has dropped its end.
            let _ = asker.send(check.clone());
        }
        if let Some(waker) = pending.waker {
            waker.wake();
        }
    }
}

/// When the checks of an incarnation are due.
struct Schedule {
    cell: Arc<dyn AnyCell>,
    incarnation: u32,
    every: Duration,
    /// When the next one is.
    due: Instant,
}

impl Schedule {
    /// Asks for a check, unless one is under way or the module is not such as can be checked.
    fn ask(&self, now: Instant) {
        let core = self.cell.core();
        if !core.is_checkable() {
            return;
        }
        let asked = core.look_at_health(|health| {
            let checks = health.checks.as_mut().filter(|checks| checks.incarnation == self.incarnation)?;
            if checks.pending.is_some() {
                return None;
            }
            checks.ask(now);
            Some(())
        });
        if asked.flatten().is_some() {
            self.cell.tell(control::HEALTH);
        }
    }
}

impl Source for Schedule {
    fn fire(&mut self) -> Fired {
        let core = self.cell.core();
        let now = Instant::now();
        if let Some(verdict) = core.expire(self.incarnation, now) {
            verdict.act(&*self.cell);
        }
        if now >= self.due {
            let passed = (now - self.due).as_nanos() / self.every.as_nanos();
            let next = u32::try_from(passed + 1).ok().and_then(|passed| self.every.checked_mul(passed));
            let Some(due) = next.and_then(|next| self.due.checked_add(next)) else { return Fired::Ended };
            self.due = due;
            self.ask(now);
        }
        let deadline = core.look_at_health(|health| {
            let checks = health.checks.as_ref().filter(|checks| checks.incarnation == self.incarnation)?;
            Some(checks.pending.as_ref().map(|pending| pending.deadline))
        });
        match deadline.flatten() {
            Some(deadline) => Fired::At(deadline.map_or(self.due, |deadline| deadline.min(self.due))),
            None => Fired::Ended,
        }
    }

    fn skip(&mut self, _: u64) {}

    fn is_closed(&self) -> bool {
        self.cell.is_closed()
    }
}

/// A check that the module runs.
pub struct Check {
    cell: Arc<dyn AnyCell>,
    name: &'static str,
    incarnation: u32,
    number: u64,
}

/// Says that the health check `name` begins; nothing where nobody waits for what it says any more.
pub fn begin_check<T: Module>(name: &'static str, ctx: &mut Context<T>) -> Option<Check> {
    let core = &ctx.cell.core;
    let begun = core.look_at_health(|health| {
        let checks = health.checks.as_mut()?;
        let pending = checks.pending.as_mut()?;
        pending.has_begun = true;
        Some((checks.incarnation, pending.number))
    });
    let (incarnation, number) = begun.flatten()?;
    core.set_deadline(Deadline::NEVER);
    ctx.begin(name);
    Some(Check { cell: Arc::clone(&ctx.cell) as Arc<dyn AnyCell>, name, incarnation, number })
}

impl Check {
    /// Runs the check to its end, or to its timeout. A panic in it is what it says.
    pub async fn run(self, check: impl Future<Output = HealthStatus> + Send) {
        let mut check = pin!(Some(check));
        let said = poll_fn(|cx| {
            // Before the check is polled: whoever ends it from here on finds the waker.
            if !self.note_waker(cx.waker()) {
                return Poll::Ready(None);
            }
            let Some(check) = check.as_mut().as_pin_mut() else { return Poll::Ready(None) };
            match panic::catch_unwind(AssertUnwindSafe(|| check.poll(cx))) {
                Ok(poll) => poll.map(Some),
                Err(panic) => {
                    let text = format!("`{}` panicked: {}", self.name, panic_text(&*panic));
                    Poll::Ready(Some(HealthStatus::Unhealthy(text)))
                }
            }
        });
        let said = said.await;
        if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(|| check.set(None))) {
            let (module, text) = (self.cell.core().name(), panic_text(&*panic));
            tracing::error!(module, check = self.name, text, "a health check panicked when it was dropped");
        }
        if let Some(said) = said {
            self.end(said);
        }
    }

    /// Has `waker` woken when the check's time is over. False where it is already.
    fn note_waker(&self, waker: &Waker) -> bool {
        let waker = waker.clone();
        let noted = self.cell.core().look_at_health(|health| {
            let checks = health.checks.as_mut().filter(|checks| checks.incarnation == self.incarnation)?;
            let pending = checks.pending.as_mut().filter(|pending| pending.number == self.number)?;
            Some(pending.waker.replace(waker))
        });
        // What was there before is dropped here, where no lock is held.
        noted.flatten().is_some()
    }

    fn end(self, said: HealthStatus) {
        let core = self.cell.core();
        let now = Instant::now();
        let verdict = core.take_in(self.incarnation, |checks, pending| {
            if pending.number != self.number {
                return None;
            }
            let is_late = now > pending.deadline;
            Some(if is_late { HealthStatus::Unhealthy(too_long(self.name, checks.timeout)) } else { said })
        });
        if let Some(mut verdict) = verdict {
            // It does not wait any more.
            verdict.pending.waker = None;
            verdict.act(&*self.cell);
        }
    }
}

impl<T: Module> ModuleRef<T> {
    /// Has the module check its health now, and says what the check said: healthy, or why not. It counts as any other check, and one that is under way already is
    /// waited for.
    ///
    /// Where there is nothing to check, because the module has no [`#[health]`](macro@crate::health), does not run, or asks itself, it says what
    /// [`health`](Self::health) does.
    ///
    /// ```
    /// use dms::prelude::*;
    ///
    /// #[module]
    /// struct Disk { free: u64 }
    ///
    /// #[module]
    /// impl Disk {
    ///     #[health]
    ///     fn health(&self) -> HealthStatus {
    ///         match self.free {
    ///             0 => HealthStatus::Unhealthy("full".to_owned()),
    ///             1..10 => HealthStatus::Degraded("nearly full".to_owned()),
    ///             _ => HealthStatus::Healthy,
    ///         }
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new();
    /// let disk = system.register_module(Disk { free: 3 }).await?;
    /// assert_eq!(disk.check_health().await.to_string(), "degraded: nearly full");
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Cancel safety
    /// Once polled the check goes on, and counts, whether or not this is awaited to its end.
    pub async fn check_health(&self) -> HealthStatus {
        let core = &self.cell.core;
        if current::is(core) || !core.is_checkable() {
            return self.health();
        }
        let now = Instant::now();
        let (asker, mut answer) = oneshot::channel();
        let joined = core.look_at_health(|health| {
            let checks = health.checks.as_mut()?;
            let incarnation = checks.incarnation;
            let is_new = checks.pending.is_none();
            if is_new {
                checks.ask(now);
            }
            let pending = checks.pending.as_mut()?;
            pending.askers.push(asker);
            Some((incarnation, pending.deadline, is_new))
        });
        let Some((incarnation, deadline, is_new)) = joined.flatten() else { return self.health() };
        if is_new {
            self.cell.mailbox.tell(core, control::HEALTH);
        }
        if let Ok(said) = timeout_at(deadline, &mut answer).await {
            return said.unwrap_or_else(|_| self.health());
        }
        // The schedule may come to it later, or not at all where the interval is the longer one.
        if let Some(verdict) = core.expire(incarnation, Instant::now()) {
            verdict.act(&*self.cell);
        }
        answer.await.unwrap_or_else(|_| self.health())
    }
}
