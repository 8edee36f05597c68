//! A reference to a process.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use super::config::ProcessConfig;
use super::error::{ProcessError, ProcessResult};
use super::id::ProcessId;
use super::input::ProcessInput;
use super::process::Process;
use super::signal::Signal;
use super::state::Shared;
use super::status::{ExitReport, ProcessReport, ProcessStatus};
use super::usage::ResourceUsage;
use crate::module::ModuleRef;
use crate::system::Supervisor;

/// A reference to a process, which stays the same over restarts and outlives it. Cheap to clone.
///
/// What it tells the process reaches it at once, whatever its module is doing.
#[derive(Clone)]
pub struct ProcessHandle {
    shared: Arc<Shared>,
}

/// In the closure that builds the module: gone once it will not be built again.
struct Closing(Arc<Shared>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.closed();
    }
}

impl ProcessHandle {
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared) }
    }

    pub(super) async fn register(supervisor: &Supervisor, shared: &Arc<Shared>) -> ProcessResult<Self> {
        let id = shared.id().clone();
        let closing = Closing(Arc::clone(shared));
        let mut register = supervisor.register_with(move |module| {
            closing.0.placed(&module);
            Process::of(Arc::clone(&closing.0))
        });
        register = register.name(id.as_str()).restart(shared.config.restart.unwrap_or_default());
        for dependency in shared.config.dependencies() {
            register = register.depends_on(dependency);
        }
        match register.await {
            Ok(_) => Ok(Self::of(shared)),
            Err(error) => Err(ProcessError::of_registration(id, error)),
        }
    }

    /// What the process is called.
    #[must_use]
    pub fn id(&self) -> &ProcessId {
        self.shared.id()
    }

    /// What it was spawned with, the defaults of its manager among it.
    #[must_use]
    pub fn config(&self) -> &ProcessConfig {
        &self.shared.config
    }

    /// The module that it is, to be watched, depended on, or asked for its health.
    ///
    /// # Panics
    /// Not for a handle that a user can have.
    #[must_use]
    pub fn module(&self) -> &ModuleRef<Process> {
        self.shared.module().expect("whoever has a handle has spawned the process")
    }

    /// Its number, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.shared.child().map(|child| child.pid())
    }

    /// How it is.
    #[must_use]
    pub fn status(&self) -> ProcessStatus {
        self.shared.status()
    }

    /// What is known of it.
    #[must_use]
    pub fn report(&self) -> ProcessReport {
        self.shared.report()
    }

    /// What it and its group use, as it was when they were last looked at, [every so often](ProcessConfig::sample_every). When it has ended, the last of that; `None` before the first look.
    ///
    /// ```no_run
    /// # use dms::process::ProcessHandle;
    /// # fn example(web: &ProcessHandle) {
    /// if let Some(usage) = web.usage() {
    ///     println!("{} MiB, {:.0} % of a core", usage.memory >> 20, usage.cpu_percent);
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn usage(&self) -> Option<ResourceUsage> {
        self.shared.usage()
    }

    /// Waits until what is known of it is such as `is_it` says, and gives that. States that it goes through in a moment may be missed; the event [`ProcessChanged`](super::ProcessChanged) tells each.
    ///
    /// ```no_run
    /// # use dms::process::{ProcessHandle, ProcessResult};
    /// # async fn example(web: ProcessHandle) -> ProcessResult<()> {
    /// let report = web.until(|report| report.restarts() == 1 && report.status.is_running()).await?;
    /// println!("it runs again, as {:?}", report.pid);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ProcessError::NotRunning`] where its module ends before that.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn until(&self, mut is_it: impl FnMut(&ProcessReport) -> bool) -> ProcessResult<ProcessReport> {
        let mut reports = self.shared.subscribe();
        let ended = tokio::select! {
            biased;
            _ = reports.wait_for(|report| is_it(report)) => false,
            () = self.shared.wait() => true,
        };
        let report = self.report();
        if ended && !is_it(&report) {
            return Err(ProcessError::NotRunning { id: self.id().clone(), status: report.status });
        }
        Ok(report)
    }

    /// Waits until it has ended for good, so that it is not started again, and says how it ended last.
    ///
    /// # Errors
    /// [`ProcessError::NotRunning`] where it was never spawned.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn wait(&self) -> ProcessResult<ExitReport> {
        self.shared.wait().await;
        let ProcessReport { id, status, exit, .. } = self.report();
        exit.ok_or(ProcessError::NotRunning { id, status })
    }

    /// Ends it as it should end: `SIGTERM` to it and its group, and `SIGKILL` when its [grace](ProcessConfig::grace) has passed. It is not started again. Ready when nothing is left of it; where it has ended already, at once.
    ///
    /// # Errors
    /// [`ProcessError::Stop`] where other modules that run depend on it. What keeps it from ending is in the report: [`Signal`](ProcessError::Signal) where this program may not signal it, or [`Unkillable`](ProcessError::Unkillable).
    ///
    /// # Cancel safety
    /// Once polled the stop goes on, whether or not this is awaited to its end.
    pub async fn stop(&self) -> ProcessResult<ProcessReport> {
        if let Some(module) = self.shared.module() {
            let refused = |source| ProcessError::Stop { id: self.id().clone(), source };
            module.stop().await.map_err(refused)?;
        }
        Ok(self.report())
    }

    /// Ends it at once: `SIGKILL` to it and its group. It is not started again, and what depends on it is stopped first. Ready when nothing is left of it; where it has ended already, at once.
    ///
    /// # Errors
    /// [`ProcessError::Stop`] where an essential module depends on it.
    ///
    /// # Cancel safety
    /// Once polled it goes on, whether or not this is awaited to its end.
    pub async fn kill(&self) -> ProcessResult<ProcessReport> {
        let Some(module) = self.shared.module() else { return Ok(self.report()) };
        self.shared.ask_kill(true);
        // First its module is told that this is no failure, then the process; then its end is waited for.
        let stopped = pin!(module.stop());
        match poll_once(stopped).await {
            Err(stopped) => {
                if !self.status().is_over() {
                    let _ = self.shared.signal(Signal::KILL);
                }
                let refused = |source| ProcessError::Stop { id: self.id().clone(), source };
                stopped.await.map_err(refused)?;
            }
            Ok(Ok(_)) => {}
            // What depends on it has its own time to end; then its module does it.
            Ok(Err(_)) => self.stop_all().await.inspect_err(|_| self.shared.ask_kill(false))?,
        }
        Ok(self.report())
    }

    /// Ends its module, and what depends on it.
    pub(super) async fn stop_all(&self) -> ProcessResult<()> {
        if let Some(module) = self.shared.module() {
            let refused = |source| ProcessError::Stop { id: self.id().clone(), source };
            module.stop().with_dependents().await.map_err(refused)?;
        }
        Ok(())
    }

    /// Sends it what it reads from its standard input, where that is [`Input::Pipe`](super::Input::Pipe).
    #[must_use]
    pub fn input(&self) -> &ProcessInput {
        self.shared.wires().input()
    }

    /// Halts it, and its group, until it is [resumed](Self::resume).
    ///
    /// # Errors
    /// [`ProcessError::NotRunning`], also while it is being stopped; [`ProcessError::Signal`].
    pub fn pause(&self) -> ProcessResult<()> {
        self.shared.pause()
    }

    /// Has it go on, and its group.
    ///
    /// # Errors
    /// [`ProcessError::NotRunning`], [`ProcessError::Signal`].
    pub fn resume(&self) -> ProcessResult<()> {
        self.shared.resume()
    }

    /// Sends it a signal, and its group. What it ends of, it ended of by itself: it may be started again.
    ///
    /// # Errors
    /// [`ProcessError::NotRunning`], [`ProcessError::Signal`].
    pub fn signal(&self, signal: Signal) -> ProcessResult<()> {
        self.shared.signal(signal)
    }

    /// That of a process that was spawned later is higher.
    pub(super) fn number(&self) -> u64 {
        self.shared.number()
    }

    /// Whether its module has ended, so that nothing of it changes any more.
    pub(super) fn has_ended(&self) -> bool {
        self.shared.has_ended()
    }

    /// Whether it is the process of that state, and not only one of the same id.
    pub(super) fn is_of(&self, shared: &Arc<Shared>) -> bool {
        Arc::ptr_eq(&self.shared, shared)
    }
}

/// What a future gives at once, or the future.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Result<F::Output, Pin<&mut F>> {
    match poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err(future),
    }
}

impl fmt::Debug for ProcessHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessHandle")
            .field("id", self.id())
            .field("pid", &self.pid())
            .field("status", &self.status())
            .finish()
    }
}
