//! Who judges the health of a module: what its checks have said so far, when the next one is due, and what comes of it.
//!
//! The judge stands outside the module's task: it is a source of the system's timers. When a check is due it tells the worker, which takes it between two handlers, ahead
//! of all messages. A check that has not come to its end by its timeout has failed, whatever the reason: the check itself may take too long, and then it is dropped; or
//! the module does not come to it, for a handler runs.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::cell::{AnyCell, Core, Culprit, control};
use super::current;
use super::handler::Module;
use super::health::Health;
use super::lifecycle::{Failure, ModuleState};
use super::module_ref::ModuleRef;
use super::timers::{Fired, Key, Source};
use crate::recovery::{HealthMonitor, HealthSchedule, HealthStatus};

/// The shortest interval between two checks, and the shortest timeout; what is shorter is taken as this.
const SHORTEST: Duration = Duration::from_millis(1);

/// The longest timeout; what is longer is taken as this. A moment so far away can be told.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// The checks of an incarnation. They lie under the lock of the module's end.
pub(crate) struct Checks {
    incarnation: u32,
    timeout: Duration,
    /// How many failures in a row are too many.
    failures: u32,
    monitor: HealthMonitor,
    pending: Option<Pending>,
    /// How many have been asked for.
    asked: u64,
    schedule: Option<Key>,
}

/// Which check it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    incarnation: u32,
    /// From 1, in each incarnation.
    number: u64,
}

/// What a check that has come to its end says.
pub(super) enum Said {
    Of(HealthStatus),
    /// It does not count.
    Nothing,
}

/// A check that has been asked for and says nothing yet.
struct Pending {
    ticket: Ticket,
    /// When it has failed.
    deadline: Instant,
    /// The check that runs, once it waits for something.
    waker: Option<Waker>,
    has_begun: bool,
    /// Who waits for what it says.
    askers: Vec<oneshot::Sender<HealthStatus>>,
    /// What ends it at its deadline, where somebody asked for it: the schedule has its own checks in view.
    expiry: Option<Key>,
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
    /// Has the incarnation that begins now checked, first after one interval.
    ///
    /// `schedule` is what its type says; what was said when it was registered goes before.
    pub(super) fn begin(cell: &Arc<dyn AnyCell>, schedule: HealthSchedule) {
        let core = cell.core();
        core.end_checks();
        let incarnation = core.incarnation();
        let every = core.with_health(|health| {
            let HealthSchedule { every, timeout, thresholds } = *health.schedule.as_deref().unwrap_or(&schedule);
            health.checks = Some(Box::new(Self {
                incarnation,
                timeout: timeout.clamp(SHORTEST, LONGEST),
                failures: thresholds.failures.max(1),
                monitor: HealthMonitor::new(thresholds),
                pending: None,
                asked: 0,
                schedule: None,
            }));
            every.max(SHORTEST)
        });
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

    /// Asks for a check.
    fn ask(&mut self, now: Instant) {
        self.asked += 1;
        let ticket = Ticket { incarnation: self.incarnation, number: self.asked };
        let deadline = now + self.timeout;
        self.pending =
            Some(Pending { ticket, deadline, waker: None, has_begun: false, askers: Vec::new(), expiry: None });
    }
}

impl Core {
    /// Says when the module is checked, instead of what its type does, from the next incarnation on.
    pub(crate) fn schedule_health(&self, schedule: HealthSchedule) {
        self.with_health(|health| health.schedule = Some(Box::new(schedule)));
    }

    /// Asks for no further check: the incarnation ends.
    pub(crate) fn end_checks(&self) {
        let checks = self.look_at_health(|health| health.checks.take()).flatten();
        let Some(checks) = checks else { return };
        let expiry = checks.pending.as_ref().and_then(|pending| pending.expiry);
        for key in [checks.schedule, expiry].into_iter().flatten() {
            self.environment.timers.stop(key);
        }
    }

    /// Begins the check that has been asked for, if nobody has given it up.
    pub(super) fn begin_check(&self) -> Option<Ticket> {
        let begin = |health: &mut Health| {
            let pending = health.checks.as_mut()?.pending.as_mut()?;
            pending.has_begun = true;
            Some(pending.ticket)
        };
        self.look_at_health(begin).flatten()
    }

    /// Whether somebody still waits for what this check says. Then `waker` is woken when that is over.
    pub(super) fn awaits_check(&self, ticket: Ticket, waker: &Waker) -> bool {
        let waker = waker.clone();
        let note = |health: &mut Health| {
            let pending = health.checks.as_mut()?.pending.as_mut().filter(|pending| pending.ticket == ticket)?;
            Some(pending.waker.replace(waker))
        };
        // What was there before is dropped here, where no lock is held.
        self.look_at_health(note).flatten().is_some()
    }

    /// Whether the module is such as can be checked: it runs, and is not about to end.
    fn is_checkable(&self) -> bool {
        self.state() == ModuleState::Running
            && !self.has(control::ENDS | control::RENEW)
            // What waits to be reloaded may hang in a handler meanwhile.
            && !(self.has(control::RELOAD) && self.is_changing())
    }

    /// Takes in what the check that is under way says, or what is said of it.
    fn take_in(&self, incarnation: u32, said: impl FnOnce(&Checks, &Pending) -> Option<Said>) -> Option<Verdict> {
        let is_checkable = self.is_checkable();
        self.look_at_health(|health| {
            let checks = health.checks.as_mut().filter(|checks| checks.incarnation == incarnation)?;
            let said = said(checks, checks.pending.as_ref()?)?;
            let pending = checks.pending.take()?;
            let (mut changed, failures) = (None, checks.failures);
            let Said::Of(check) = said else {
                let check = checks.monitor.status().clone();
                return Some(Verdict { check, pending, changed, failures, incarnation });
            };
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
        // It is kept under the same lock.
        let running = self.running();
        self.take_in(incarnation, |checks, pending| {
            let timeout = checks.timeout;
            // Between two messages it is the loop around them.
            let is_known = pending.has_begun || self.is_busy.load(Ordering::Relaxed);
            let handler = running.filter(|_| is_known).unwrap_or("run");
            (pending.deadline <= now).then(|| {
                Said::Of(HealthStatus::Unhealthy(if pending.has_begun {
                    too_long(handler, timeout)
                } else {
                    format!("no answer within {timeout:?}: `{handler}` runs")
                }))
            })
        })
    }
}

/// Ends a check, unless it was given up meanwhile.
pub(super) fn end_check(cell: &dyn AnyCell, ticket: Ticket, name: &str, said: Said) {
    let now = Instant::now();
    let verdict = cell.core().take_in(ticket.incarnation, |checks, pending| {
        if pending.ticket != ticket {
            return None;
        }
        // One that blocks its thread may be late though nobody has given it up.
        let is_late = now > pending.deadline;
        Some(if is_late { Said::Of(HealthStatus::Unhealthy(too_long(name, checks.timeout))) } else { said })
    });
    if let Some(mut verdict) = verdict {
        // It does not wait any more.
        verdict.pending.waker = None;
        verdict.act(cell);
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
        if let Some(key) = pending.expiry {
            core.environment.timers.stop(key);
        }
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
                    cell.break_off(Culprit::Incarnation(incarnation), failure);
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

impl Schedule {
    /// When there is something to do: a check is due, or the time of the one under way is over. Never, once the incarnation has ended.
    fn next(&self) -> Option<Instant> {
        let of_check = |health: &mut Health| {
            let checks = health.checks.as_ref().filter(|checks| checks.incarnation == self.incarnation)?;
            Some(checks.pending.as_ref().map_or(self.due, |pending| pending.deadline.min(self.due)))
        };
        self.cell.core().look_at_health(of_check).flatten()
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
        if self.next().is_some() { Fired::Anew } else { Fired::Ended }
    }

    fn due(&self) -> Option<Instant> {
        self.next()
    }

    fn skip(&mut self, _: u64) {}

    fn is_closed(&self) -> bool {
        self.cell.is_closed()
    }
}

/// The end of a check that somebody asked for, whether or not it is awaited still: the schedule may come to it much later.
struct Expiry {
    cell: Arc<dyn AnyCell>,
    incarnation: u32,
}

impl Expiry {
    fn begin(cell: &Arc<dyn AnyCell>, ticket: Ticket, deadline: Instant) {
        let core = cell.core();
        core.is_timed.store(true, Ordering::Release);
        let expiry = Self { cell: Arc::clone(cell), incarnation: ticket.incarnation };
        let (environment, source) = (&core.environment, Box::new(expiry));
        // It is no message, as those are that come once.
        let interval = Some(Duration::MAX);
        let key = environment.timers.request(environment, Some(core.id), source, Some(deadline), interval);
        let note = |health: &mut Health| {
            let pending = health.checks.as_mut()?.pending.as_mut().filter(|pending| pending.ticket == ticket)?;
            pending.expiry = key;
            Some(())
        };
        // It may have ended already.
        if core.look_at_health(note).flatten().is_none()
            && let Some(key) = key
        {
            environment.timers.stop(key);
        }
    }
}

impl Source for Expiry {
    fn fire(&mut self) -> Fired {
        if let Some(verdict) = self.cell.core().expire(self.incarnation, Instant::now()) {
            verdict.act(&*self.cell);
        }
        Fired::Ended
    }

    fn skip(&mut self, _: u64) {}

    fn is_closed(&self) -> bool {
        self.cell.is_closed()
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
        let now = {
            // Who asks may be on another runtime, or on none.
            let _entered = core.environment.runtime().map(Handle::enter);
            Instant::now()
        };
        let (asker, answer) = oneshot::channel();
        let joined = core.look_at_health(|health| {
            let checks = health.checks.as_mut()?;
            let is_new = checks.pending.is_none();
            if is_new {
                checks.ask(now);
            }
            let pending = checks.pending.as_mut()?;
            pending.askers.push(asker);
            Some(is_new.then_some((pending.ticket, pending.deadline)))
        });
        let Some(begun) = joined.flatten() else { return self.health() };
        if let Some((ticket, deadline)) = begun {
            Expiry::begin(&(Arc::clone(&self.cell) as Arc<dyn AnyCell>), ticket, deadline);
            self.cell.mailbox.tell(core, control::HEALTH);
        }
        answer.await.unwrap_or_else(|_| self.health())
    }
}
