//! The module that a process is.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::child::Child;
use super::config::ProcessConfig;
use super::errand;
use super::error::ProcessError;
use super::handle::ProcessHandle;
use super::monitor::{self, Monitor};
use super::probe;
use super::signal::Signal;
use super::spawn;
use super::state::Shared;
use super::status::{ExitReport, ProcessStatus};
use super::streams::Streams;
use crate::module::cell::Cell;
use crate::module::{Context, Inbox, ModuleRef};
use crate::recovery::HealthStatus;
use crate::system::Supervisor;
use dms_macros::{handler, health, init, module, run, stop};

/// How long it takes at most until what was killed has ended, as a rule by far.
const DIES_WITHIN: Duration = Duration::from_secs(10);

/// A process of the operating system as a module: it is spawned by `init`, and the module's end is its end.
///
/// So all that is there for modules is there for processes: names, supervision and restarts, dependencies, health, events, an orderly shutdown. A [`ProcessManager`](super::ProcessManager) registers them; without one
/// [`Process::spawn`] does it under any supervisor.
///
/// An exit with 0 is a normal end of the module's loop, anything else its failure; what becomes of either is up to its [`Restart`](crate::recovery::Restart). When the module is stopped the process is asked to end, with `SIGTERM`, and killed
/// when its [grace](ProcessConfig::grace) has passed; where the module is killed or dropped, at once. Either way all that is left of its group goes too.
#[module]
pub struct Process {
    shared: Arc<Shared>,
    /// There while there is a process that has not been buried.
    child: Option<Arc<Child>>,
    /// Its streams, where `run` does not have them.
    streams: Option<Streams>,
    /// Whether a health check has found it well.
    is_well: bool,
    /// What it failed of, where it is to be ended for that.
    failed_of: Option<ProcessError>,
}

impl Process {
    /// Spawns a process under a supervisor, without a manager.
    ///
    /// # Errors
    /// As [`ProcessManager::spawn`](super::ProcessManager::spawn).
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it takes the registration back: what has been spawned is stopped.
    pub async fn spawn(
        supervisor: impl Into<Supervisor>,
        config: ProcessConfig,
    ) -> Result<ProcessHandle, ProcessError> {
        let shared = Shared::new(config);
        ProcessHandle::register(&supervisor.into(), &shared).await
    }

    pub(super) fn of(shared: Arc<Shared>) -> Self {
        Self { shared, child: None, streams: None, is_well: false, failed_of: None }
    }

    /// Ends the process as it should end: asks it to, and kills it when its grace has passed.
    async fn terminate(&mut self, child: &Child, grace: Duration) -> Result<ExitReport, ProcessError> {
        let shared = &self.shared;
        shared.change(ProcessStatus::Stopping, |_| {});
        let mut left = Duration::ZERO;
        if !shared.is_kill_asked() {
            // One that may not be told may still end by itself.
            left = child.ask_to_end().map_or(grace, |asked| grace.saturating_sub(asked.elapsed()));
        }
        let mut grace_passed = false;
        let cannot_wait = |source| self.cannot_wait(child, source);
        if let Ok(ended) = timeout(left, child.ended()).await {
            ended.map_err(cannot_wait)?;
        } else {
            grace_passed = !shared.is_kill_asked();
            child.signal(Signal::KILL).map_err(|source| shared.not_told(Signal::KILL, source))?;
            let Ok(ended) = timeout(DIES_WITHIN, child.ended()).await else { return Err(self.unkillable(child)) };
            ended.map_err(cannot_wait)?;
        }
        let status = child.bury().map_err(cannot_wait)?;
        child.gone().await;
        if let Some(streams) = self.streams.take() {
            streams.finish().await;
        }
        Ok(ExitReport::new(child.pid(), status, child.since().elapsed(), grace_passed))
    }

    fn unkillable(&self, child: &Child) -> ProcessError {
        ProcessError::Unkillable { id: self.shared.id().clone(), pid: child.pid(), within: DIES_WITHIN }
    }

    /// Notes what the process failed of.
    fn fail(&self, error: ProcessError) -> ProcessError {
        self.shared.failed(error.clone());
        error
    }

    /// Notes what the process is to be ended for: `stop` does it.
    fn give_up(&mut self, error: ProcessError) -> ProcessError {
        self.failed_of = Some(error.clone());
        error
    }

    fn cannot_wait(&self, child: &Child, source: std::io::Error) -> ProcessError {
        ProcessError::Wait { id: self.shared.id().clone(), pid: child.pid(), source: Arc::new(source) }
    }
}

#[module]
impl Process {
    #[init]
    async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ProcessError> {
        self.shared.placed(&ctx.self_ref());
        self.shared.attach(ctx.system());
        self.shared.begin()?;
        self.shared.config.check_command().map_err(|error| self.fail(error))?;
        self.shared.config.check_health().map_err(|error| self.fail(error))?;
        ctx.cell.core.schedule_health(self.shared.config.health_schedule());
        monitor::check(&self.shared.config).map_err(|error| self.fail(error))?;
        let spawned = spawn::spawn(&self.shared.config).await.map_err(|error| self.fail(error))?;
        let not_watched = |source| self.fail(self.shared.not_spawned(source));
        let child = Child::new(spawned.leader).map_err(not_watched)?;
        let child = Arc::new(child);
        self.shared.spawned(&child);
        let wiring = self.shared.config.wiring();
        let streams = Streams::new(self.shared.wires(), &wiring, spawned.pipes, ctx.system()).map_err(not_watched)?;
        self.streams = Some(streams);
        self.child = Some(child);
        if self.shared.config.health.is_none() {
            self.shared.change(ProcessStatus::Idle, |_| {});
        }
        Ok(())
    }

    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) -> Result<(), ProcessError> {
        let (Some(child), Some(mut streams)) = (self.child.clone(), self.streams.take()) else { return Ok(()) };
        let shared = Arc::clone(&self.shared);
        let mut monitor = Monitor::new(&child, &shared.config);
        let mut over = None;
        let end = async {
            tokio::select! {
                biased;
                ended = child.ended() => return Some(ended),
                figures = monitor.until_over(&child, &shared) => over = Some(figures),
            }
            timeout(DIES_WITHIN, child.ended()).await.ok()
        };
        let ended = tokio::select! {
            biased;
            ended = end => ended,
            (stream, source) = streams.broken() => {
                self.streams = Some(streams);
                return Err(self.give_up(ProcessError::Stream { id: self.shared.id().clone(), stream, source }));
            }
            _ = inbox.serve(self, ctx) => {
                self.streams = Some(streams);
                self.failed_of = over.map(|figures| shared.over(figures));
                return Ok(());
            }
        };
        let Some(ended) = ended else {
            let error = self.unkillable(&child);
            self.child = None;
            shared.left(error.clone(), child);
            return Err(error);
        };
        if ended.is_ok() && over.is_none() && ctx.cell.core.is_ending() {
            // `stop` sees to what is left of it: what it wrote last may be for modules that are stopping, too.
            self.streams = Some(streams);
            return Ok(());
        }
        monitor.look_at_the_end(&shared).await;
        let was_asked = ctx.cell.core.is_ending() || child.is_asked_to_end();
        let status = ended.and_then(|()| child.bury()).map_err(|source| self.fail(self.cannot_wait(&child, source)))?;
        let exit = ExitReport::new(child.pid(), status, child.since().elapsed(), false);
        let broken = streams.finish().await;
        // Not before: where this is cut off meanwhile, it says that the process is gone.
        self.child = None;
        if let Some((stream, source)) = broken
            && over.is_none()
            && exit.is_success()
            && !was_asked
        {
            let error = ProcessError::Stream { id: self.shared.id().clone(), stream, source };
            self.shared.ended(ProcessStatus::Error(error.text()), exit, Some(error.clone()));
            return Err(error);
        }
        if over.is_none() && (exit.is_success() || was_asked) {
            self.shared.ended(ProcessStatus::Terminated, exit, None);
            return Ok(());
        }
        let error = if let Some(figures) = over.or_else(|| monitor.cause_of_end(&shared, exit.signal)) {
            // What is killed takes a moment to go, and would be counted with the next one.
            child.gone().await;
            shared.over(figures)
        } else {
            let (id, stderr_tail) = (shared.id().clone(), shared.wires().stderr_tail());
            ProcessError::Ended { id, exit: exit.clone(), stderr_tail }
        };
        self.shared.ended(ProcessStatus::Error(error.text()), exit, Some(error.clone()));
        Err(error)
    }

    #[stop]
    async fn stop(&mut self, ctx: &mut Context<Self>) -> Result<(), ProcessError> {
        let Some(child) = self.child.clone() else { return Ok(()) };
        if !child.is_asked_to_end() {
            ask_next_to_end(ctx);
        }
        let grace = self.shared.config.grace_or_default();
        let runner = self.streams.as_mut().and_then(Streams::take_runner);
        let terminated = errand::beside(runner, self.terminate(&child, grace)).await;
        self.child = None;
        match terminated {
            Ok(exit) => {
                let unhealthy = || ProcessError::unhealthy(self.shared.id(), ctx.cell.core.failure());
                let failed_of = self.failed_of.take().or_else(unhealthy);
                let status =
                    failed_of.as_ref().map_or(ProcessStatus::Terminated, |error| ProcessStatus::Error(error.text()));
                self.shared.ended(status, exit, failed_of);
                Ok(())
            }
            Err(error @ (ProcessError::Signal { .. } | ProcessError::Unkillable { .. })) => {
                self.shared.left(error.clone(), child);
                Err(error)
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Finds out whether the process is well, as its configuration says.
    #[health]
    async fn probe(&mut self) -> Option<HealthStatus> {
        let (health, child) = (self.shared.config.health.as_ref()?, self.child.as_ref()?);
        let mut paused = self.shared.is_paused();
        let said = tokio::select! {
            biased;
            // The end does not wait for what may hang.
            () = self.shared.ending() => return None,
            // What is halted can say nothing.
            _ = paused.wait_for(|paused| *paused) => return None,
            said = probe::run(health.probe(), &self.shared.config, self.shared.wires()) => said,
        };
        match said {
            Ok(()) => {
                self.is_well = true;
                self.shared.become_if(ProcessStatus::Idle, |status| *status == ProcessStatus::Initializing);
                Some(HealthStatus::Healthy)
            }
            Err(_) if !self.is_well && child.since().elapsed() < health.grace_to_start() => None,
            Err(reason) => Some(HealthStatus::Unhealthy(reason)),
        }
    }

    /// Asks the process to end, with `SIGTERM`, and begins its [grace](ProcessConfig::grace), of which a stop of the module gives it what is left. When it has ended that is a normal end of its module, which is started again where it
    /// [always](crate::recovery::RestartPolicy::Always) is.
    ///
    /// Modules are stopped one after the other. So that processes do not take one grace each, the first of them to be stopped sends this to those that follow right after it and that nobody depends on.
    #[handler(AskToEnd)]
    fn ask_to_end(&mut self) -> Result<(), ProcessError> {
        let Some(child) = &self.child else { return Err(self.shared.not_running()) };
        self.shared.change(ProcessStatus::Stopping, |_| {});
        child.ask_to_end().map(drop).map_err(|source| self.shared.not_told(Signal::TERM, source))
    }
}

/// Asks the processes that are to be stopped right after this one to end, so that they have their grace at the same time.
fn ask_next_to_end(ctx: &Context<Process>) {
    let Some(system) = ctx.system().shared() else { return };
    for next in system.ending_after(ctx.id()) {
        // Whatever is no process may have a use for those that end after it.
        let Ok(cell) = (next as Arc<dyn Any + Send + Sync>).downcast::<Cell<Process>>() else { return };
        let next: ModuleRef<Process> = ModuleRef { cell };
        // One that has ended by itself needs not be asked.
        let _ = next.try_send(AskToEnd);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its process goes with it where it was cut off; see `Leader`.
        if self.child.take().is_some() {
            self.shared.abandoned();
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("id", self.shared.id()).finish_non_exhaustive()
    }
}
