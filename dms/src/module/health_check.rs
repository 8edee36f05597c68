//! The health check of a module, as `#[health]` writes it, and how the module runs it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::cell::AnyCell;
use super::context::Context;
use super::deadline::Deadline;
use super::error::ModuleError;
use super::handler::Module;
use super::health_judge::{Checks, Said, Ticket, end_check};
use super::worker::panic_text;
use crate::recovery::{HealthSchedule, HealthStatus};

/// The health check of a module, as `#[health]` writes it.
pub struct HealthCheck<T: Module> {
    schedule: HealthSchedule,
    message: fn() -> T::Message,
}

impl<T: Module> HealthCheck<T> {
    /// Describes the check that the message of `message` runs: each 10 s, for 5 s at most.
    #[must_use]
    pub const fn new(message: fn() -> T::Message) -> Self {
        Self { schedule: HealthSchedule::DEFAULT, message }
    }

    /// Runs it each `every`.
    #[must_use]
    pub const fn every(mut self, every: Duration) -> Self {
        self.schedule.every = every;
        self
    }

    /// Gives it so long.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.schedule.timeout = timeout;
        self
    }

    /// So many failures in a row make the module unhealthy.
    #[must_use]
    pub const fn failures(mut self, failures: u32) -> Self {
        self.schedule.thresholds.failures = failures;
        self
    }

    /// So many successes in a row heal it.
    #[must_use]
    pub const fn successes(mut self, successes: u32) -> Self {
        self.schedule.thresholds.successes = successes;
        self
    }

    /// The message that runs it.
    pub(crate) fn message(&self) -> T::Message {
        (self.message)()
    }

    /// Has the incarnation that begins now checked, first after one interval; when, what registered it may have said instead.
    pub(crate) fn begin(&self, cell: &Arc<dyn AnyCell>) {
        Checks::begin(cell, self.schedule);
    }
}

impl<T: Module> fmt::Debug for HealthCheck<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthCheck").field("schedule", &self.schedule).finish_non_exhaustive()
    }
}

/// What a health check may return: a [`HealthStatus`], a `bool`, a `Result` of nothing or of a [`HealthStatus`]; or any of these as an `Option`, where `None` says nothing and
/// does not count.
#[diagnostic::on_unimplemented(
    message = "a health check cannot return `{Self}`",
    label = "not `HealthStatus`, `bool` or `Result<(), E>`",
    note = "return `HealthStatus`, `bool`, or `Result<(), ModuleError>` (any error turns into a `ModuleError` with `?`)"
)]
pub trait HealthOutput {
    /// What the check says, if anything.
    fn into_status(self) -> Option<HealthStatus>;
}

impl HealthOutput for HealthStatus {
    fn into_status(self) -> Option<HealthStatus> {
        Some(self)
    }
}

impl HealthOutput for bool {
    fn into_status(self) -> Option<HealthStatus> {
        Some(if self { HealthStatus::Healthy } else { HealthStatus::Unhealthy("the check says `false`".to_owned()) })
    }
}

impl<E: Into<ModuleError>> HealthOutput for Result<(), E> {
    fn into_status(self) -> Option<HealthStatus> {
        self.map(|()| HealthStatus::Healthy).into_status()
    }
}

impl<E: Into<ModuleError>> HealthOutput for Result<HealthStatus, E> {
    fn into_status(self) -> Option<HealthStatus> {
        Some(self.unwrap_or_else(|error| HealthStatus::Unhealthy(error.into().chain())))
    }
}

impl<O: HealthOutput> HealthOutput for Option<O> {
    fn into_status(self) -> Option<HealthStatus> {
        self.and_then(O::into_status)
    }
}

/// What a health check says, if anything.
pub fn health(output: impl HealthOutput) -> Option<HealthStatus> {
    output.into_status()
}

/// A check that the module runs.
pub struct Check {
    cell: Arc<dyn AnyCell>,
    name: &'static str,
    ticket: Ticket,
}

/// Says that the health check `name` begins; nothing where nobody waits for what it says any more.
pub fn begin_check<T: Module>(name: &'static str, ctx: &mut Context<T>) -> Option<Check> {
    let core = &ctx.cell.core;
    let ticket = core.begin_check()?;
    core.set_deadline(Deadline::NEVER);
    ctx.begin(name);
    Some(Check { cell: Arc::clone(&ctx.cell) as Arc<dyn AnyCell>, name, ticket })
}

impl Check {
    /// Runs the check to its end, or to its timeout. A panic in it is what it says.
    pub async fn run(self, check: impl Future<Output = Option<HealthStatus>> + Send) {
        let mut check = pin!(Some(check));
        let said = poll_fn(|cx| {
            // Before the check is polled: whoever ends it from here on finds the waker.
            if !self.cell.core().awaits_check(self.ticket, cx.waker()) {
                return Poll::Ready(None);
            }
            let Some(check) = check.as_mut().as_pin_mut() else { return Poll::Ready(None) };
            match panic::catch_unwind(AssertUnwindSafe(|| check.poll(cx))) {
                Ok(poll) => poll.map(|said| Some(said.map_or(Said::Nothing, Said::Of))),
                Err(panic) => {
                    let text = format!("`{}` panicked: {}", self.name, panic_text(&*panic));
                    Poll::Ready(Some(Said::Of(HealthStatus::Unhealthy(text))))
                }
            }
        });
        let said = said.await;
        if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(|| check.set(None))) {
            let (module, text) = (self.cell.core().name(), panic_text(&*panic));
            tracing::error!(module, check = self.name, text, "a health check panicked when it was dropped");
        }
        if let Some(said) = said {
            end_check(&*self.cell, self.ticket, self.name, said);
        }
    }
}
