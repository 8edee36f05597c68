//! Processes by their ids.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use parking_lot::Mutex;

use super::config::ProcessConfig;
use super::error::{ProcessError, ProcessResult};
use super::handle::ProcessHandle;
use super::id::ProcessId;
use super::signal::Signal;
use super::state::Shared;
use super::status::{ExitReport, ProcessReport, ProcessStatus};
use crate::system::Supervisor;

/// So many processes that have ended are kept, the last ones.
const ENDED: usize = 1024;

/// Spawns processes under one supervisor, and knows them by their ids. Cheap to clone.
///
/// Those that have ended it knows too, so that it can say how: the 1,024 that were spawned last, and [`forget`](Self::forget) makes it fewer.
///
/// Each of them is a child of the supervisor: a system's, or a module's, with which they end. When the last clone of a manager is dropped, its processes are stopped in the background.
pub struct ProcessManager {
    inner: Arc<Inner>,
}

struct Inner {
    supervisor: Supervisor,
    /// What a configuration does not say.
    defaults: ProcessConfig,
    /// Those that it has spawned, also where they have ended.
    processes: Mutex<BTreeMap<ProcessId, ProcessHandle>>,
}

impl ProcessManager {
    /// Creates a manager whose processes become children of `supervisor`: `&system`, or `ctx.supervisor()` in a module. What the configuration of a process does not say is taken from `defaults`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use dms::prelude::*;
    /// use dms::process::{ProcessConfig, ProcessManager};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new();
    /// let manager = ProcessManager::new(&system, ProcessConfig::default().grace(Duration::from_secs(5)));
    /// let job = manager.spawn(ProcessConfig::new("job", "sh").args(["-c", "exit 3"])).await?;
    /// assert_eq!(job.wait().await?.code, Some(3));
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn new(supervisor: impl Into<Supervisor>, defaults: ProcessConfig) -> Self {
        let inner = Inner { supervisor: supervisor.into(), defaults, processes: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Spawns a process; ready when it runs.
    ///
    /// # Errors
    /// [`Taken`](ProcessError::Taken) where a process or another module that lives has the id, [`ProgramNotFound`](ProcessError::ProgramNotFound), [`InterpreterNotFound`](ProcessError::InterpreterNotFound), [`NotExecutable`](ProcessError::NotExecutable),
    /// [`Directory`](ProcessError::Directory), [`UnknownUser`](ProcessError::UnknownUser), [`UnknownGroup`](ProcessError::UnknownGroup), [`User`](ProcessError::User), [`Setting`](ProcessError::Setting), and
    /// [`Spawn`](ProcessError::Spawn) for what the operating system refuses besides; [`Register`](ProcessError::Register) where its supervisor is stopping or a dependency is missing. Then nothing of it is left.
    ///
    /// # Panics
    /// The module's `init` does, where Tokio's runtime was built without its I/O driver (`enable_all` has it, and so has `#[tokio::main]`); that is [`ProcessError::Register`].
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it takes the registration back: what has been spawned is stopped.
    pub async fn spawn(&self, config: ProcessConfig) -> ProcessResult<ProcessHandle> {
        let shared = Shared::new(config.or(&self.inner.defaults));
        let handle = ProcessHandle::of(&shared);
        let id = shared.id();
        {
            let mut processes = self.inner.processes.lock();
            if processes.get(id).is_some_and(|process| !process.has_ended()) {
                return Err(ProcessError::Taken { id: id.clone() });
            }
            processes.insert(id.clone(), handle);
            forget_oldest(&mut processes, ENDED);
        }
        let unplaced = Unplaced { inner: &self.inner, shared: &shared };
        let handle = ProcessHandle::register(&self.inner.supervisor, &shared).await?;
        std::mem::forget(unplaced);
        Ok(handle)
    }

    /// Spawns a process with the defaults: as [`spawn`](Self::spawn) of `ProcessConfig::new(id, command).args(args)`.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn).
    ///
    /// # Cancel safety
    /// As [`spawn`](Self::spawn).
    pub async fn spawn_process(
        &self,
        id: ProcessId,
        command: impl AsRef<OsStr>,
        args: Vec<String>,
    ) -> ProcessResult<ProcessHandle> {
        self.spawn(ProcessConfig::new(id, command).args(args)).await
    }

    /// The process of this id, also where it has ended.
    ///
    /// # Errors
    /// [`ProcessError::NotFound`].
    pub fn handle(&self, id: impl AsRef<str>) -> ProcessResult<ProcessHandle> {
        let id = id.as_ref();
        let processes = self.inner.processes.lock();
        processes.get(id).cloned().ok_or_else(|| {
            let ids = processes.keys().cloned().collect();
            ProcessError::NotFound { id: id.into(), ids }
        })
    }

    /// Ends a process as it should end: see [`ProcessHandle::stop`].
    ///
    /// # Errors
    /// [`ProcessError::NotFound`]; else as [`ProcessHandle::stop`].
    ///
    /// # Cancel safety
    /// As [`ProcessHandle::stop`].
    pub async fn stop(&self, id: impl AsRef<str>) -> ProcessResult<ProcessReport> {
        self.handle(id)?.stop().await
    }

    /// Ends a process at once: see [`ProcessHandle::kill`].
    ///
    /// # Errors
    /// [`ProcessError::NotFound`]; else as [`ProcessHandle::kill`].
    ///
    /// # Cancel safety
    /// As [`ProcessHandle::kill`].
    pub async fn kill(&self, id: impl AsRef<str>) -> ProcessResult<ProcessReport> {
        self.handle(id)?.kill().await
    }

    /// Halts a process: see [`ProcessHandle::pause`].
    ///
    /// # Errors
    /// [`ProcessError::NotFound`]; else as [`ProcessHandle::pause`].
    pub fn pause(&self, id: impl AsRef<str>) -> ProcessResult<()> {
        self.handle(id)?.pause()
    }

    /// Has a process go on: see [`ProcessHandle::resume`].
    ///
    /// # Errors
    /// [`ProcessError::NotFound`]; else as [`ProcessHandle::resume`].
    pub fn resume(&self, id: impl AsRef<str>) -> ProcessResult<()> {
        self.handle(id)?.resume()
    }

    /// Sends a process a signal: see [`ProcessHandle::signal`].
    ///
    /// # Errors
    /// [`ProcessError::NotFound`]; else as [`ProcessHandle::signal`].
    pub fn signal(&self, id: impl AsRef<str>, signal: Signal) -> ProcessResult<()> {
        self.handle(id)?.signal(signal)
    }

    /// How a process is, also where it has ended.
    ///
    /// # Errors
    /// [`ProcessError::NotFound`].
    pub fn status(&self, id: impl AsRef<str>) -> ProcessResult<ProcessStatus> {
        Ok(self.handle(id)?.status())
    }

    /// What is known of a process, also where it has ended.
    ///
    /// # Errors
    /// [`ProcessError::NotFound`].
    pub fn report(&self, id: impl AsRef<str>) -> ProcessResult<ProcessReport> {
        Ok(self.handle(id)?.report())
    }

    /// What is known of all its processes, those that have ended among them, by their ids.
    #[must_use]
    pub fn list(&self) -> Vec<ProcessReport> {
        self.handles().iter().map(ProcessHandle::report).collect()
    }

    /// Waits until a process has ended for good: see [`ProcessHandle::wait`].
    ///
    /// # Errors
    /// [`ProcessError::NotFound`]; else as [`ProcessHandle::wait`].
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn wait(&self, id: impl AsRef<str>) -> ProcessResult<ExitReport> {
        self.handle(id)?.wait().await
    }

    /// Forgets a process that has ended; one that has not it keeps. Returns whether it forgot one.
    ///
    /// Another process of the same id takes its place as well.
    pub fn forget(&self, id: impl AsRef<str>) -> bool {
        let mut processes = self.inner.processes.lock();
        let has_ended = processes.get(id.as_ref()).is_some_and(ProcessHandle::has_ended);
        has_ended && processes.remove(id.as_ref()).is_some()
    }

    fn handles(&self) -> Vec<ProcessHandle> {
        self.inner.processes.lock().values().cloned().collect()
    }
}

/// Forgets those that were spawned first of the processes that have ended, where they are more than are kept.
fn forget_oldest(processes: &mut BTreeMap<ProcessId, ProcessHandle>, kept: usize) {
    if processes.len() <= kept {
        return;
    }
    let ended = processes.iter().filter(|(_, process)| process.has_ended());
    let mut ended: Vec<_> = ended.map(|(id, process)| (process.number(), id.clone())).collect();
    ended.sort_unstable();
    for (_, id) in ended.iter().rev().skip(kept) {
        processes.remove(id);
    }
}

/// The place of a process that does not come about.
struct Unplaced<'a> {
    inner: &'a Inner,
    shared: &'a Arc<Shared>,
}

impl Drop for Unplaced<'_> {
    fn drop(&mut self) {
        let mut processes = self.inner.processes.lock();
        // Another one may have taken the place meanwhile.
        if processes.get(self.shared.id()).is_some_and(|process| process.is_of(self.shared)) {
            processes.remove(self.shared.id());
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for process in self.processes.get_mut().values() {
            // A stop that was begun goes on.
            let _ = pin!(process.stop_all()).poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

impl Clone for ProcessManager {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl fmt::Debug for ProcessManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessManager").field("processes", &self.handles()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::System;

    #[tokio::test]
    async fn those_that_ended_are_forgotten_that_were_spawned_first_and_none_that_lives() {
        let system = System::new();
        let manager = ProcessManager::new(&system, ProcessConfig::default());
        manager.spawn(ProcessConfig::new("lives", "sleep").args(["600"])).await.unwrap();
        for id in ["e", "d", "c", "b", "a"] {
            manager.spawn(ProcessConfig::new(id, "true")).await.unwrap().wait().await.unwrap();
        }
        forget_oldest(&mut manager.inner.processes.lock(), 2);
        let ids: Vec<_> = manager.list().into_iter().map(|report| report.id.to_string()).collect();
        assert_eq!(ids, ["a", "b", "lives"]);
        system.shutdown().await;
    }
}
