//! The module that a process is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::child::Child;
use super::config::ProcessConfig;
use super::error::ProcessError;
use super::handle::ProcessHandle;
use super::signal::Signal;
use super::spawn;
use super::state::Shared;
use super::status::{ExitReport, ProcessReport, ProcessStatus};
use crate::module::{Context, Inbox};
use crate::system::Supervisor;
use dms_macros::{handler, init, module, run, stop};

/// A process of the operating system as a module: it is spawned by `init`, and the module's end is its end.
///
/// So all that is there for modules is there for processes: names, supervision and restarts, dependencies, health, events, an orderly shutdown. A [`ProcessManager`](super::ProcessManager) registers them; without one
/// [`Process::spawn`] does it under any supervisor, and so does `register_with(move |_| Process::new(config.clone()))`.
///
/// An exit with 0 is a normal end of the module's loop, anything else its failure; what becomes of either is up to its [`Restart`](crate::recovery::Restart). When the module is stopped the process is asked to end, with `SIGTERM`, and killed
/// when its [grace](ProcessConfig::grace) has passed; where the module is killed or dropped, at once. Either way all that is left of its group goes too.
#[module]
pub struct Process {
    shared: Arc<Shared>,
    /// There while there is a process that has not been buried.
    child: Option<Arc<Child>>,
}

impl Process {
    /// The module of a process that is spawned when it is registered. What the configuration does not say is as [`ProcessConfig`] says.
    #[must_use]
    pub fn new(config: ProcessConfig) -> Self {
        Self::of(Shared::new(config))
    }

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
        Self { shared, child: None }
    }

    /// Ends the process as it should end: asks it to, and kills it when its grace has passed.
    async fn terminate(&mut self, child: &Child, grace: Duration) -> std::io::Result<ExitReport> {
        let shared = &self.shared;
        shared.change(ProcessStatus::Stopping, |_| {});
        if !shared.is_kill_asked() {
            child.signal(Signal::TERM)?;
            // What is halted hears nothing.
            child.signal(Signal::CONT)?;
        }
        let grace = if shared.is_kill_asked() { Duration::ZERO } else { grace };
        let mut grace_passed = false;
        if let Ok(ended) = timeout(grace, child.ended()).await {
            ended?;
        } else {
            grace_passed = !shared.is_kill_asked();
            child.signal(Signal::KILL)?;
            child.ended().await?;
        }
        let status = child.bury()?;
        child.gone().await;
        Ok(ExitReport::new(child.pid(), status, child.since().elapsed(), grace_passed))
    }

    /// Notes what the process failed of.
    fn fail(&self, error: ProcessError) -> ProcessError {
        self.shared.failed(error.clone());
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
        self.shared.begin();
        let spawned = spawn::spawn(&self.shared.config).await.map_err(|error| self.fail(error))?;
        let not_watched = |source| self.fail(self.shared.not_spawned(source));
        let child = Child::new(spawned.leader).map_err(not_watched)?;
        let child = Arc::new(child);
        self.shared.spawned(&child);
        // The streams take `spawned.pipes` here.
        drop(spawned.pipes);
        self.child = Some(child);
        self.shared.change(ProcessStatus::Idle, |_| {});
        Ok(())
    }

    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) -> Result<(), ProcessError> {
        let Some(child) = self.child.clone() else { return Ok(()) };
        // The sampler is a third branch: it ends with the limit that was passed.
        let ended = tokio::select! {
            biased;
            ended = child.ended() => ended,
            _ = inbox.serve(self, ctx) => return Ok(()),
        };
        let was_asked = ctx.cell.core.is_ending();
        let status = ended.and_then(|()| child.bury()).map_err(|source| self.fail(self.cannot_wait(&child, source)))?;
        self.child = None;
        // The streams are drained here.
        let exit = ExitReport::new(child.pid(), status, child.since().elapsed(), false);
        if exit.is_success() || was_asked {
            self.shared.ended(ProcessStatus::Terminated, exit, None);
            return Ok(());
        }
        let (id, stderr_tail) = (self.shared.id().clone(), self.shared.stderr_tail());
        let error = ProcessError::Ended { id, exit: exit.clone(), stderr_tail };
        self.shared.ended(ProcessStatus::Error(error.text()), exit, Some(error.clone()));
        Err(error)
    }

    #[stop]
    async fn stop(&mut self) -> Result<(), ProcessError> {
        let Some(child) = self.child.take() else { return Ok(()) };
        let grace = self.shared.config.grace_or_default();
        match self.terminate(&child, grace).await {
            Ok(exit) => {
                self.shared.ended(ProcessStatus::Terminated, exit, None);
                Ok(())
            }
            Err(source) => Err(self.fail(self.cannot_wait(&child, source))),
        }
    }

    /// Sends the process a signal, and what it leads.
    #[handler(SendSignal)]
    fn signal(&mut self, signal: Signal) -> Result<(), ProcessError> {
        self.shared.signal(signal)
    }

    /// Halts the process until it is [resumed](ProcessRef::resume).
    #[handler(Pause)]
    fn pause(&mut self) -> Result<(), ProcessError> {
        self.shared.pause()
    }

    /// Has the process go on that was [paused](ProcessRef::pause).
    #[handler(Resume)]
    fn resume(&mut self) -> Result<(), ProcessError> {
        self.shared.resume()
    }

    /// What is known of the process.
    #[handler(Report)]
    fn process_report(&self) -> ProcessReport {
        self.shared.report()
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
