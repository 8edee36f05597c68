//! Where background tasks are begun.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use super::among::AMONG;
use super::error::BackgroundError;
use super::monitor::{BackgroundMonitor, Watch};
use crate::module::cell::AnyCell;
use crate::module::task::{fail_of_error, fail_of_panic};
use crate::module::task_list::{HearsEnd, TaskEnd, TaskList};
use crate::module::{ModuleError, TaskOutput};
use crate::session::EventSender;

/// Begins background tasks of a [`BackgroundMonitor`], or of a module. A clone begins tasks of the same.
///
/// Once its monitor has failed, was cancelled or has gone, or its module has stopped, futures are dropped instead.
#[derive(Clone)]
pub struct BackgroundSpawner {
    tasks: TaskList,
    owner: Owner,
}

#[derive(Clone)]
enum Owner {
    Monitor(Arc<Watch>),
    /// This incarnation of it.
    Module(Arc<dyn AnyCell>, u32),
}

impl BackgroundSpawner {
    pub(super) fn of_monitor(watch: Arc<Watch>) -> Self {
        Self { tasks: watch.tasks.clone(), owner: Owner::Monitor(watch) }
    }

    pub(super) fn of_module(tasks: TaskList, module: Arc<dyn AnyCell>, incarnation: u32) -> Self {
        Self { tasks, owner: Owner::Module(module, incarnation) }
    }

    /// Runs `future` as a task, named `name` in errors. An error that it returns, or a panic, ends all tasks of the monitor, or fails the module.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn spawn<F>(&self, name: impl Into<String>, future: F)
    where
        F: Future<Output: TaskOutput> + Send + 'static,
    {
        self.run(name.into(), async move { future.await.into_failure() });
    }

    /// As [`spawn`](Self::spawn), where the end is an event of the session: `event` makes it of the output. A panic remains a failure; a task that is cancelled sends nothing.
    ///
    /// ```
    /// use dms::session::{BackgroundMonitor, event};
    ///
    /// #[derive(Debug, PartialEq)]
    /// enum Event {
    ///     Summed(u64),
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let monitor = BackgroundMonitor::new();
    /// let (sender, mut events) = event();
    /// monitor.spawner().spawn_then("sum", async { (1..=10).sum() }, &sender, Event::Summed);
    /// assert_eq!(events.recv().await, Some(Event::Summed(55)));
    /// # }
    /// ```
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn spawn_then<F, E>(
        &self,
        name: impl Into<String>,
        future: F,
        events: &EventSender<E>,
        event: impl FnOnce(F::Output) -> E + Send + 'static,
    ) where
        F: Future<Output: Send> + Send + 'static,
        E: Send + 'static,
    {
        let events = events.clone();
        self.run(name.into(), async move {
            // Where the session has gone nobody wants to know.
            let _ = events.send(event(future.await)).await;
            None
        });
    }

    /// Makes a monitor that is nested: its tasks are cancelled with these, and whoever waits for these waits for them too. A failure of one of them is its own.
    pub fn monitor(&self) -> BackgroundMonitor {
        BackgroundMonitor::owning(self.tasks.nest())
    }

    /// Whether futures are dropped instead of run.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.tasks.is_closed()
    }

    fn run(&self, name: String, future: impl Future<Output = Option<ModuleError>> + Send + 'static) {
        let future = AMONG.scope(self.tasks.clone(), future);
        self.tasks.spawn(future, Reported { name, owner: self.owner.clone() });
    }
}

/// Reports how a task fails.
struct Reported {
    name: String,
    owner: Owner,
}

impl HearsEnd for Reported {
    type Output = Option<ModuleError>;

    fn ended(&self, end: TaskEnd<Option<ModuleError>>) {
        let Self { name, owner } = self;
        match (end, owner) {
            (TaskEnd::Returned(None) | TaskEnd::Cancelled, _) => {}
            (TaskEnd::Returned(Some(error)), Owner::Monitor(watch)) => {
                watch.fail(BackgroundError::failed(name.clone(), error));
            }
            (TaskEnd::Panicked(text), Owner::Monitor(watch)) => {
                watch.fail(BackgroundError::Panicked { task: name.clone(), text });
            }
            (TaskEnd::Returned(Some(error)), Owner::Module(module, incarnation)) => {
                fail_of_error(&**module, *incarnation, name, &error);
            }
            (TaskEnd::Panicked(text), Owner::Module(module, incarnation)) => {
                fail_of_panic(&**module, *incarnation, name, &text);
            }
        }
    }
}

impl fmt::Debug for BackgroundSpawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundSpawner").field("tasks", &self.tasks).finish_non_exhaustive()
    }
}
