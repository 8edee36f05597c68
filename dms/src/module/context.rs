//! What a handler or hook can reach: its own module, and through it the system.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use futures_core::Stream;

use super::cell::{AnyCell, Cell, Running};
use super::handler::{Answers, Module};
use super::lifecycle::{Failure, ModuleId};
use super::message_set::Owner;
use super::module_ref::ModuleRef;
use super::retry::Slot;
use super::stop::{self, How, StopError};
use super::task::{Task, TaskOutput, Tasks};
#[cfg(feature = "session")]
use super::task_list::TaskList;

/// What a handler or hook of the module `T` can reach besides its own state.
///
/// Any handler or hook may ask for it: `ctx: &mut Context<Self>`.
pub struct Context<T: Module> {
    pub(crate) cell: Arc<Cell<Owner<T>>>,
    /// The handler or hook that runs.
    pub(crate) handler: &'static str,
    /// What runs, for others who look at it.
    running: Option<Running>,
    tasks: Option<Box<Tasks>>,
    /// Which incarnation of the module this is of, also when another one has its place.
    incarnation: u32,
    /// What is kept of the message in hand; there only once a handler with a `retry` has run.
    pub(crate) retry: Option<Arc<Slot<T::Message>>>,
}

impl<T: Module> Context<T> {
    pub(crate) fn new(cell: Arc<Cell<Owner<T>>>) -> Self {
        let is_watched = cell.core.environment.is_watched || const { T::HEALTH.is_some() };
        let running = is_watched.then(|| cell.core.notes_running());
        let incarnation = cell.core.incarnation_that_begins();
        Self { cell, handler: "init", running, tasks: None, incarnation, retry: None }
    }

    /// Is that of the incarnation that begins, in the place of the one before.
    pub(crate) fn begin_again(&mut self) {
        self.incarnation = self.cell.core.incarnation_that_begins();
        self.begin("init");
    }

    /// A reference to this module.
    #[must_use]
    pub fn self_ref(&self) -> ModuleRef<T> {
        ModuleRef { cell: Arc::clone(&self.cell) }
    }

    /// This module's id.
    #[must_use]
    pub fn id(&self) -> ModuleId {
        self.cell.core.id
    }

    /// This module's name.
    #[must_use]
    pub fn name(&self) -> String {
        self.cell.core.name()
    }

    /// Which incarnation of the module this is: 1, and one more with each [restart](crate::recovery::Restart) and [reload](ModuleRef::reload).
    #[must_use]
    pub fn incarnation(&self) -> u32 {
        self.incarnation
    }

    /// Stops this module once the running handler has returned. What waits in the mailbox is reported as undelivered.
    ///
    /// A module on which others depend stops with them: `ctx.self_ref().stop().with_dependents().await` begins that and returns at once.
    ///
    /// # Errors
    /// It goes on, where other modules that run depend on it, and where it is [essential](crate::ModuleFlags::ESSENTIAL).
    pub fn stop(&self) -> Result<(), StopError> {
        let itself = Arc::clone(&self.cell) as Arc<dyn AnyCell>;
        stop::begin(&[itself], How::Stop, false).map(drop)
    }

    /// Runs `future` as a task of this module, named `name` in errors.
    ///
    /// The task begins at once. What becomes of its result is up to the returned [`Task`]: await it, have it sent to this module as
    /// a message with [`Task::then`], or let it go; then an error counts as the module's failure. A panic that nobody awaits
    /// always does. When the module stops its tasks are cancelled and joined before its `stop` hook runs.
    ///
    /// What a task asks is not attributed to the module: a deadlock through it ends at the deadline.
    ///
    /// ```
    /// use dms::prelude::*;
    ///
    /// #[module]
    /// struct Sums { last: u64 }
    ///
    /// pub struct Summed(u64);
    ///
    /// #[module]
    /// impl Sums {
    ///     #[handler(Sum)]
    ///     fn sum(&mut self, numbers: Vec<u64>, ctx: &mut Context<Self>) {
    ///         ctx.spawn("sum", async move { numbers.iter().sum::<u64>() }).then(Summed, ctx);
    ///     }
    ///
    ///     #[handler]
    ///     fn summed(&mut self, Summed(sum): Summed) { self.last = sum; }
    /// }
    /// ```
    pub fn spawn<F>(&mut self, name: impl Into<String>, future: F) -> Task<F::Output>
    where
        F: Future<Output: TaskOutput> + Send + 'static,
    {
        let cell = Arc::clone(&self.cell) as Arc<dyn AnyCell>;
        self.tasks.get_or_insert_default().spawn(cell, self.incarnation, name.into(), future)
    }

    /// Sends every item of `stream` to this module as a message. Where a bounded mailbox is full the stream waits, also where the policy would reject.
    ///
    /// The returned task ends with the stream: `.then(|()| Finished, ctx)` makes the end a message. It is named `name` in errors.
    pub fn attach<S>(&mut self, name: impl Into<String>, stream: S) -> Task<()>
    where
        S: Stream<Item: Send + 'static> + Send + 'static,
        T: Answers<S::Item>,
    {
        let target = self.self_ref();
        self.spawn(name, async move {
            let mut stream = pin!(stream);
            while let Some(item) = std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
                if target.feed(item).await.is_err() {
                    return;
                }
            }
        })
    }

    /// Notes what runs, and where others may ask, for them too.
    #[inline]
    pub(crate) fn begin(&mut self, handler: &'static str) {
        self.handler = handler;
        if let Some(running) = &self.running {
            note(running, handler);
        }
    }

    /// Where the module's tasks are.
    #[cfg(feature = "session")]
    pub(crate) fn task_list(&mut self) -> TaskList {
        self.tasks.get_or_insert_default().list()
    }

    /// The module, whatever its type.
    #[cfg(any(feature = "adapter", feature = "session"))]
    pub(crate) fn cell(&self) -> Arc<dyn AnyCell> {
        Arc::clone(&self.cell) as Arc<dyn AnyCell>
    }

    /// Notes what a handler failed of. Its message is not lost where the module may begin again.
    pub(crate) fn note_failure(&self, failure: &Failure) {
        if let Some(slot) = &self.retry {
            slot.note(failure);
            if !self.cell.core.is_supervised() {
                slot.give_up();
            }
        }
    }

    /// Loses the message of a handler that failed.
    pub(crate) fn give_up_retry(&mut self) {
        if let Some(slot) = self.retry.take() {
            slot.give_up();
        }
    }

    /// Whether the module has tasks, or had some.
    pub(crate) fn has_tasks(&self) -> bool {
        self.tasks.is_some()
    }

    /// Cancels the module's tasks and waits until they are gone.
    pub(crate) async fn join_tasks(&mut self) {
        if let Some(tasks) = self.tasks.take() {
            tasks.join().await;
        }
    }
}

/// Apart, for few modules are looked at.
#[cold]
fn note(running: &Running, handler: &'static str) {
    *running.lock() = handler;
}

impl<T: Module> fmt::Debug for Context<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("module", &self.cell.core.name())
            .field("handler", &self.handler)
            .finish_non_exhaustive()
    }
}
