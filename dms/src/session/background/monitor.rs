//! Who owns background tasks, and hears of it when one fails.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task_local;

use super::error::BackgroundError;
use super::spawner::BackgroundSpawner;
use crate::module::task_list::TaskList;

task_local! {
    /// The tasks among which the running one is.
    pub(super) static AMONG: TaskList;
}

/// Owns background tasks: the first that fails ends all of them, and [`wait`](Self::wait) says which it was.
///
/// ```
/// use dms::session::BackgroundMonitor;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut monitor = BackgroundMonitor::new();
/// let spawner = monitor.spawner();
/// spawner.spawn("forever", std::future::pending::<()>());
/// spawner.spawn("doomed", async { Err::<(), _>("the disk is full") });
///
/// let error = monitor.wait().await.unwrap_err();
/// assert_eq!(error.to_string(), "background task `doomed` failed: the disk is full");
/// # }
/// ```
///
/// It needs no system. Made inside a background task, it is *nested* in that task's monitor: its tasks are cancelled with that one's, and whoever waits for that one waits for them too.
/// In the code of a module, as in a handler or `#[run]`, it is not: there nest it with `ctx.background().monitor()`, which is joined before the module has stopped.
/// See [`Context::background`](crate::Context::background).
///
/// Dropped, its tasks are cancelled. Nobody waits for them then, unless it is nested: call [`cancel`](Self::cancel) and [`wait`](Self::wait) for that.
#[must_use = "dropping it cancels its tasks"]
pub struct BackgroundMonitor {
    watch: Arc<Watch>,
}

/// The tasks of a monitor, and the first failure of one.
pub(super) struct Watch {
    pub(super) tasks: TaskList,
    failure: Mutex<Option<BackgroundError>>,
    /// Wakes whoever waits for the failure.
    failing: Notify,
}

impl Watch {
    pub(super) fn fail(&self, error: BackgroundError) {
        let mut failure = self.failure.lock();
        // Of what a task returns once it is cancelled nobody wants to know; a panic is a mistake even then.
        if failure.is_none() && (!self.tasks.is_closed() || matches!(error, BackgroundError::Panicked { .. })) {
            *failure = Some(error);
        } else {
            drop(failure);
            return drop(error);
        }
        drop(failure);
        self.tasks.close();
        self.failing.notify_waiters();
    }
}

impl BackgroundMonitor {
    /// Makes a monitor without tasks. Inside a background task it is nested in that task's.
    pub fn new() -> Self {
        Self::owning(AMONG.try_with(TaskList::nest).unwrap_or_default())
    }

    pub(super) fn owning(tasks: TaskList) -> Self {
        Self { watch: Arc::new(Watch { tasks, failure: Mutex::default(), failing: Notify::new() }) }
    }

    /// Where tasks are begun: to be given to whatever needs some.
    #[must_use]
    pub fn spawner(&self) -> BackgroundSpawner {
        BackgroundSpawner::of_monitor(Arc::clone(&self.watch))
    }

    /// Cancels all tasks, and refuses others from now on. That is no error.
    pub fn cancel(&self) {
        self.watch.tasks.close();
    }

    /// Waits until no task is left: all have finished, or have been cancelled and are gone.
    ///
    /// Tasks may be spawned while it waits, and where all have finished also afterwards.
    ///
    /// # Errors
    /// A task failed or panicked, the latter also where it was cancelled and something that it held panics when it is dropped; the first one did. The others have been cancelled, and have gone with all that they held. It says the same when it is called again.
    ///
    /// # Cancel safety
    /// Cancel safe. In the `select!` of a session the branch is [`failed`](Self::failed).
    pub async fn wait(&mut self) -> Result<(), BackgroundError> {
        self.watch.tasks.join().await;
        self.watch.failure.lock().clone().map_or(Ok(()), Err)
    }

    /// Waits until a task has failed and the others, which that cancels, have gone; for ever where none fails. For the `select!` of a session:
    ///
    /// ```
    /// use dms::session::{BackgroundError, BackgroundMonitor, BackgroundSpawner, EventSource, event};
    ///
    /// async fn session(mut events: EventSource<u32>, begin: impl FnOnce(BackgroundSpawner)) -> Result<u32, BackgroundError> {
    ///     let monitor = BackgroundMonitor::new();
    ///     begin(monitor.spawner());
    ///     let mut sum = 0;
    ///     loop {
    ///         tokio::select! {
    ///             error = monitor.failed() => return Err(error),
    ///             event = events.recv() => match event {
    ///                 Some(number) => sum += number,
    ///                 None => return Ok(sum),
    ///             },
    ///         }
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (_events, source) = event();
    /// let error = session(source, |spawner| spawner.spawn("listen", async { Err::<(), _>("the network is gone") })).await.unwrap_err();
    /// assert_eq!(error.to_string(), "background task `listen` failed: the network is gone");
    /// # }
    /// ```
    ///
    /// Unlike [`wait`](Self::wait) it does not end while no task runs: whoever has a spawner may begin one that fails.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn failed(&self) -> BackgroundError {
        loop {
            let failing = self.watch.failing.notified();
            // Whoever fails from here on wakes it.
            let failure = self.watch.failure.lock().clone();
            if let Some(error) = failure {
                self.watch.tasks.join().await;
                return error;
            }
            failing.await;
        }
    }
}

impl Default for BackgroundMonitor {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for BackgroundMonitor {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl fmt::Debug for BackgroundMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundMonitor").field("tasks", &self.watch.tasks).finish_non_exhaustive()
    }
}
