//! Who owns background tasks, and hears of it when one fails.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
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
/// For tasks of a module see [`Context::background`](crate::Context::background).
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
}

impl Watch {
    pub(super) fn fail(&self, error: BackgroundError) {
        let mut failure = self.failure.lock();
        if failure.is_none() && !self.tasks.is_closed() {
            *failure = Some(error);
        } else {
            drop(failure);
            return drop(error);
        }
        drop(failure);
        self.tasks.close();
    }
}

impl BackgroundMonitor {
    /// Makes a monitor without tasks. Inside a background task it is nested in that task's.
    pub fn new() -> Self {
        Self::owning(AMONG.try_with(TaskList::nest).unwrap_or_default())
    }

    pub(super) fn owning(tasks: TaskList) -> Self {
        Self { watch: Arc::new(Watch { tasks, failure: Mutex::default() }) }
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
    /// A task failed or panicked; the first one did. The others have been cancelled, and have gone with all that they held. It says the same when it is called again.
    ///
    /// # Cancel safety
    /// Cancel safe. In the `select!` of a session the branch is `Err(error) = monitor.wait() => …`: that all have finished is nothing for it to do.
    pub async fn wait(&mut self) -> Result<(), BackgroundError> {
        self.watch.tasks.join().await;
        self.watch.failure.lock().clone().map_or(Ok(()), Err)
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
