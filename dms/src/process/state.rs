//! What is known of a process: over its incarnations, and after its module has ended.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::child::Child;
use super::config::ProcessConfig;
use super::error::{ProcessError, ProcessResult};
use super::id::ProcessId;
use super::judge::Figures;
use super::process::Process;
use super::signal::Signal;
use super::status::{ExitReport, ProcessChanged, ProcessReport, ProcessStatus};
use super::streams::Wires;
use super::usage::ResourceUsage;
use crate::module::{ModuleRef, ModuleState};
use crate::system::SystemRef;

/// How many processes this program has had.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// What is known of a process. Its module, its handles and its manager share it.
#[derive(Debug)]
pub(super) struct Shared {
    /// In the order in which they were spawned.
    number: u64,
    /// With the defaults of its manager.
    pub(super) config: ProcessConfig,
    /// Where its changes are published, once its module has its place.
    system: OnceLock<SystemRef>,
    /// The module, once it has its place.
    module: OnceLock<ModuleRef<Process>>,
    report: watch::Sender<ProcessReport>,
    /// The process of the operating system, while it runs.
    child: Mutex<Option<Arc<Child>>>,
    /// Held over each change and what is told of it, so that changes are told in their order.
    telling: Mutex<()>,
    /// What of its streams outlives a process.
    wires: Arc<Wires>,
    /// Whether it was halted by somebody who said so here.
    paused: watch::Sender<bool>,
    /// Whether it had not passed its first health check when it was halted.
    was_initializing: AtomicBool,
    /// Whether somebody wants it dead without a grace.
    killed: AtomicBool,
}

impl Shared {
    pub(super) fn new(config: ProcessConfig) -> Arc<Self> {
        let report = ProcessReport::new(config.id.clone());
        let wires = Arc::new(Wires::new(&config.id, &config.wiring()));
        Arc::new(Self {
            number: COUNT.fetch_add(1, Ordering::Relaxed),
            config,
            system: OnceLock::new(),
            module: OnceLock::new(),
            report: watch::Sender::new(report),
            child: Mutex::new(None),
            telling: Mutex::new(()),
            wires,
            paused: watch::Sender::new(false),
            was_initializing: AtomicBool::new(false),
            killed: AtomicBool::new(false),
        })
    }

    pub(super) fn id(&self) -> &ProcessId {
        &self.config.id
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The module has its place.
    pub(super) fn placed(&self, module: &ModuleRef<Process>) {
        // A restart builds it again, in the same place.
        let _ = self.module.set(module.clone());
    }

    pub(super) fn module(&self) -> Option<&ModuleRef<Process>> {
        self.module.get()
    }

    pub(super) fn attach(&self, system: SystemRef) {
        let _ = self.system.set(system);
    }

    /// Whether its module has ended, and the process, so that nothing of it changes any more.
    pub(super) fn has_ended(&self) -> bool {
        self.module().is_some_and(|module| module.state().is_ended()) && self.child().is_none()
    }

    pub(super) fn report(&self) -> ProcessReport {
        let mut report = self.report.borrow().clone();
        report.stderr_tail = self.wires.stderr_tail();
        report.stream_troubles = self.wires.troubles();
        report.health = self.module().map(ModuleRef::health).unwrap_or_default();
        report
    }

    /// What of its streams outlives a process.
    pub(super) fn wires(&self) -> &Arc<Wires> {
        &self.wires
    }

    pub(super) fn status(&self) -> ProcessStatus {
        self.report.borrow().status.clone()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<ProcessReport> {
        self.report.subscribe()
    }

    pub(super) fn child(&self) -> Option<Arc<Child>> {
        self.child.lock().clone()
    }

    /// Another incarnation begins; not while the one before runs on that could not be ended.
    pub(super) fn begin(&self) -> ProcessResult<()> {
        if let Some(left) = self.child() {
            let last_error = self.report.borrow().last_error.clone();
            let unkillable =
                || ProcessError::Unkillable { id: self.id().clone(), pid: left.pid(), within: left.since().elapsed() };
            return Err(last_error.unwrap_or_else(unkillable));
        }
        let _telling = self.telling.lock();
        self.wires.clear_tail();
        self.killed.store(false, Ordering::Relaxed);
        self.was_initializing.store(false, Ordering::Relaxed);
        self.paused.send_replace(false);
        self.tell(ProcessStatus::Initializing, |report| (report.pid, report.usage) = (None, None));
        Ok(())
    }

    /// The error of one that the operating system did not spawn.
    pub(super) fn not_spawned(&self, source: io::Error) -> ProcessError {
        let program = (&self.config.command).into();
        ProcessError::Spawn { id: self.id().clone(), program, source: Arc::new(source) }
    }

    /// It has been spawned.
    pub(super) fn spawned(&self, child: &Arc<Child>) {
        *self.child.lock() = Some(Arc::clone(child));
        self.report.send_modify(|report| {
            report.pid = Some(child.pid());
            report.spawn_time = Some(SystemTime::now());
            report.starts += 1;
        });
    }

    /// It has ended, and nothing of it is left.
    pub(super) fn ended(&self, status: ProcessStatus, exit: ExitReport, error: Option<ProcessError>) {
        *self.child.lock() = None;
        self.change(status, |report| {
            report.exit = Some(exit);
            if error.is_some() {
                report.last_error = error;
            }
        });
    }

    /// It could not be ended, and runs on: that is shown until it ends.
    pub(super) fn left(self: &Arc<Self>, error: ProcessError, child: Arc<Child>) {
        let (shared, pid, since) = (Arc::downgrade(self), child.pid(), child.since());
        self.change(ProcessStatus::Error(error.text()), |report| report.last_error = Some(error));
        child.bury_later(self.id(), move |status| {
            let Some(shared) = shared.upgrade() else { return };
            *shared.child.lock() = None;
            shared.report.send_modify(|report| {
                report.exit = Some(ExitReport::new(pid, status, since.elapsed(), true));
                report.pid = None;
            });
        });
    }

    /// It failed without an end that is known.
    pub(super) fn failed(&self, error: ProcessError) {
        *self.child.lock() = None;
        self.change(ProcessStatus::Error(error.text()), |report| report.last_error = Some(error));
    }

    /// Nobody will say any more how it ended: its module has gone.
    pub(super) fn abandoned(&self) {
        *self.child.lock() = None;
        self.become_if(ProcessStatus::Terminated, |status| !status.is_over());
        self.report.send_modify(|report| report.pid = None);
    }

    /// Its module will not be built again. What had failed and waited for that has ended as it was asked to, unless its module has failed now.
    pub(super) fn closed(&self) {
        let has_failed = self.module().is_some_and(|module| module.cell.core.report().failure.is_some());
        if !has_failed {
            self.become_if(ProcessStatus::Terminated, |status| matches!(status, ProcessStatus::Error(_)));
        }
    }

    /// What it uses, as it was when it was last looked at.
    pub(super) fn usage(&self) -> Option<ResourceUsage> {
        self.report.borrow().usage
    }

    /// It was looked at.
    pub(super) fn used(&self, usage: ResourceUsage) {
        self.report.send_modify(|report| report.usage = Some(usage));
    }

    /// It was looked at, and is so `now`, where it still is as it was `before` the look.
    ///
    /// Somebody else may have halted it, or had it go on that was paused here. Halted by others it is checked all the same: nobody here wanted that.
    pub(super) fn looked(&self, before: &ProcessStatus, now: ProcessStatus) {
        let goes_on = now != ProcessStatus::Paused;
        let now = if goes_on && *before == ProcessStatus::Paused { self.after_pause(now) } else { now };
        let runs = |status: &ProcessStatus| {
            matches!(status, ProcessStatus::Idle | ProcessStatus::Busy | ProcessStatus::Paused) && status == before
        };
        if self.become_if(now, runs) && goes_on && self.paused.send_replace(false) {
            self.wires.watched().heard();
        }
    }

    /// Tells all who subscribe to such events.
    pub(super) fn publish<E: Send + Sync + 'static>(&self, event: E) {
        if let Some(system) = self.system.get() {
            system.publish(event);
        }
    }

    /// Changes the status where it is one of those; says whether it was.
    pub(super) fn become_if(&self, to: ProcessStatus, from: impl FnOnce(&ProcessStatus) -> bool) -> bool {
        let _telling = self.telling.lock();
        let is_one = from(&self.report.borrow().status);
        if is_one {
            self.tell(to, |_| {});
        }
        is_one
    }

    pub(super) fn change(&self, to: ProcessStatus, note: impl FnOnce(&mut ProcessReport)) {
        let _telling = self.telling.lock();
        self.tell(to, note);
    }

    /// With `telling` held.
    fn tell(&self, to: ProcessStatus, note: impl FnOnce(&mut ProcessReport)) {
        let mut change = None;
        self.report.send_modify(|report| {
            let exit_before = report.exit.clone();
            note(report);
            let from = std::mem::replace(&mut report.status, to.clone());
            if from != to {
                let exit = report.exit.clone().filter(|exit| exit_before.as_ref() != Some(exit));
                change = Some((from, report.pid, exit));
            }
            // Those who watch see no end with a number that may be another's by now.
            if to.is_over() && self.child.lock().is_none() {
                report.pid = None;
            }
        });
        let Some((from, pid, exit)) = change else { return };
        let id = self.id().clone();
        tracing::debug!(target: "dms::process", process = %id, pid, %from, %to, "status");
        if let Some(system) = self.system.get() {
            let stderr_tail = if to.is_over() { self.wires.stderr_tail() } else { Vec::new() };
            system.publish(ProcessChanged { id, from, to, pid, exit, stderr_tail });
        }
    }

    /// Whether it is not to have a grace when it ends.
    pub(super) fn ask_kill(&self, asked: bool) {
        self.killed.store(asked, Ordering::Relaxed);
    }

    pub(super) fn is_kill_asked(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    /// Tells the process something, and what it leads.
    pub(super) fn signal(&self, signal: Signal) -> ProcessResult<()> {
        let child = self.child().ok_or_else(|| self.not_running())?;
        match child.signal(signal) {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.not_running()),
            Err(source) => Err(self.not_told(signal, source)),
        }
    }

    /// The error of a signal that was not sent.
    pub(super) fn not_told(&self, signal: Signal, source: io::Error) -> ProcessError {
        ProcessError::Signal { id: self.id().clone(), signal, source: Arc::new(source) }
    }

    /// The error of one that used more than it may.
    pub(super) fn over(&self, figures: Figures) -> ProcessError {
        let Figures { limit, allowed, used } = figures;
        ProcessError::ResourceLimit { id: self.id().clone(), limit, allowed, used }
    }

    /// The error of what only a process that runs can be told.
    pub(super) fn not_running(&self) -> ProcessError {
        ProcessError::NotRunning { id: self.id().clone(), status: self.status() }
    }

    /// Halts the process; not one that is being stopped, which is to hear that and to end.
    pub(super) fn pause(&self) -> ProcessResult<()> {
        let _telling = self.telling.lock();
        let status = self.status();
        if status == ProcessStatus::Stopping || status.is_over() {
            return Err(ProcessError::NotRunning { id: self.id().clone(), status });
        }
        // Before it is halted, so that nobody looks whether it is well any more.
        let was_paused = self.paused.send_replace(true);
        if let Err(error) = self.signal(Signal::STOP) {
            self.paused.send_replace(was_paused);
            return Err(error);
        }
        if status == ProcessStatus::Initializing {
            self.was_initializing.store(true, Ordering::Relaxed);
        }
        self.tell(ProcessStatus::Paused, |_| {});
        Ok(())
    }

    /// Has the process go on.
    pub(super) fn resume(&self) -> ProcessResult<()> {
        let _telling = self.telling.lock();
        self.signal(Signal::CONT)?;
        // It could write nothing meanwhile.
        self.wires.watched().heard();
        self.paused.send_replace(false);
        if self.status() == ProcessStatus::Paused {
            self.tell(self.after_pause(ProcessStatus::Idle), |_| {});
        }
        Ok(())
    }

    /// What one becomes that was paused and goes on: it may not have passed its first health check.
    fn after_pause(&self, otherwise: ProcessStatus) -> ProcessStatus {
        if self.was_initializing.swap(false, Ordering::Relaxed) { ProcessStatus::Initializing } else { otherwise }
    }

    /// Whether it is halted, by [`pause`](Self::pause).
    pub(super) fn is_paused(&self) -> watch::Receiver<bool> {
        self.paused.subscribe()
    }

    /// Waits until the module is told to stop.
    pub(super) async fn ending(&self) {
        match self.module() {
            Some(module) => module.cell.core.wait_until(|state| state >= ModuleState::Stopping).await,
            None => std::future::pending().await,
        };
    }

    /// Waits until the module has ended.
    pub(super) async fn wait(&self) {
        if let Some(module) = self.module() {
            module.cell.core.wait_until(ModuleState::is_ended).await;
        }
    }
}
