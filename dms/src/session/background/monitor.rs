//! Who owns background tasks, and hears of it when one fails.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::among::among;
use super::error::BackgroundError;
use super::spawner::BackgroundSpawner;
use crate::module::task_list::TaskList;

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
/// [`BackgroundSpawner::monitor`] nests one elsewhere.
///
/// # In a module
/// Made with `new` in the code of a module, as in a hook, a handler, `#[run]` or a task of [`Context::spawn`](crate::Context::spawn), it is not the module's: its tasks are cancelled when it is
/// dropped, and not waited for. Where it is a field or a local of the module, some may still run when the module has stopped.
///
/// Make it with `ctx.background().monitor()` there, and its tasks have gone when the module has stopped, begins again or has been reloaded, whoever has the monitor by then. They are cancelled
/// and joined before the `stop` hook runs; for tasks in that hook make another one there. See [`Context::background`](crate::Context::background).
///
/// # When it is dropped
/// Its tasks are cancelled. Nobody waits for them then, unless it is nested: call [`cancel`](Self::cancel) and [`wait`](Self::wait) for that. A failure that nobody has been told of is
/// logged, and so is a panic of a task that comes after another failure, or when the monitor has gone.
#[must_use = "dropping it cancels its tasks"]
pub struct BackgroundMonitor {
    watch: Arc<Watch>,
}

/// The tasks of a monitor, and the first failure of one.
pub(super) struct Watch {
    pub(super) tasks: TaskList,
    heard: Mutex<Heard>,
    /// Wakes whoever waits for the failure.
    failing: Notify,
}

/// What a monitor has heard.
#[derive(Default)]
struct Heard {
    failure: Option<BackgroundError>,
    /// Whether somebody has been told of it.
    is_told: bool,
    /// Whether there is nobody left who could be told.
    has_gone: bool,
}

impl Watch {
    pub(super) fn fail(&self, error: BackgroundError) {
        let mut heard = self.heard.lock();
        // Of what a task returns once it is cancelled nobody wants to know; a panic is a mistake even then.
        let is_panic = matches!(error, BackgroundError::Panicked { .. });
        if heard.failure.is_none() && !heard.has_gone && (is_panic || !self.tasks.is_closed()) {
            heard.failure = Some(error);
            drop(heard);
            self.tasks.close();
            self.failing.notify_waiters();
            return;
        }
        drop(heard);
        if let BackgroundError::Panicked { task, text } = error {
            tracing::error!(task, text, "a background task panicked when its monitor had failed or gone already");
        }
    }

    fn has_failed(&self) -> bool {
        self.heard.lock().failure.is_some()
    }

    /// The failure, for somebody who is told of it.
    fn tell(&self) -> Option<BackgroundError> {
        let mut heard = self.heard.lock();
        heard.is_told |= heard.failure.is_some();
        heard.failure.clone()
    }
}

impl BackgroundMonitor {
    /// Makes a monitor without tasks. Inside a background task it is nested in that task's. In a module `ctx.background().monitor()` makes one that is joined with the module.
    pub fn new() -> Self {
        Self::owning(among().map(|tasks| tasks.nest()).unwrap_or_default())
    }

    pub(super) fn owning(tasks: TaskList) -> Self {
        Self { watch: Arc::new(Watch { tasks, heard: Mutex::default(), failing: Notify::new() }) }
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
        self.watch.tell().map_or(Ok(()), Err)
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
            if self.watch.has_failed() {
                self.watch.tasks.join().await;
                if let Some(error) = self.watch.tell() {
                    return error;
                }
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
        let mut heard = self.watch.heard.lock();
        heard.has_gone = true;
        let untold = heard.failure.clone().filter(|_| !heard.is_told);
        drop(heard);
        self.cancel();
        if let Some(error) = untold {
            tracing::error!("nobody waited for the monitor of a task that failed: {error}");
        }
    }
}

impl fmt::Debug for BackgroundMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundMonitor").field("tasks", &self.watch.tasks).finish_non_exhaustive()
    }
}
