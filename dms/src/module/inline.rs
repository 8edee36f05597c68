//! Asks that the asker answers itself: no task is switched, and nothing is allocated.
//!
//! A module with a `#[handler(inline)]` keeps all that its life needs in a [`Home`]. Its worker leaves it in the mailbox when there is nothing
//! to do, under the mailbox's own lock, and takes it out to work. An asker that finds it there takes it out likewise, runs the handler and puts it
//! back. Whoever has it is alone with the module, so there is one handler at a time; and as it is only there while nothing is queued,
//! no message is overtaken.
//!
//! A worker that is cut off while an asker has the home leaves its end to the asker: the home has all of it inside.

use std::cell::Cell as Local;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use tokio::runtime::{self, Handle};
use tokio::task::{self, coop};

use super::cell::{AnyCell, Cell, control};
use super::current::{self, Entered};
use super::cut::{contain_unless_cut, failure_of};
use super::deadline::Deadline;
use super::handler::{Answers, Module};
use super::mailbox::AnyHome;
use super::message_set::{Accepts, Owner};
use super::span::entered;
use super::task::Panic;
use super::worker::{End, Life, panic_text};

/// How many handlers may run inside each other on one stack.
const DEEPEST: usize = 16;

thread_local! {
    /// The task that asked last, and its runtime.
    static ASKER: Local<Option<(task::Id, runtime::Id)>> = const { Local::new(None) };
}

/// A module with all that its life needs, for whoever runs its next handler. The fields are dropped in this order.
pub(crate) struct Home<T: Module> {
    life: Life<T>,
    /// The module's own cell, except while an asker runs a handler.
    current: Option<Arc<dyn AnyCell>>,
    /// Where the module lives.
    runtime: Option<runtime::Id>,
    /// Whether a handler panicked that an asker ran.
    is_broken: bool,
}

impl<T: Module> Home<T> {
    async fn serve_batch(&mut self) {
        let Life { module: Some(module), ctx, ending } = &mut self.life else { return };
        ending.inbox.serve_batch(module, ctx).await;
    }

    fn fail(&mut self, panic: &Panic) {
        self.is_broken = true;
        let failure = failure_of(self.life.ctx.handler, &**panic);
        self.life.ctx.note_failure(&failure);
        self.life.ctx.cell.core.fail(failure);
    }
}

/// The worker's end of it, which outlives its loop.
pub(super) struct Resident<T: Module> {
    cell: Arc<Cell<Owner<T>>>,
    /// `None` while it is in the mailbox, or with an asker.
    home: Option<Box<Home<T>>>,
}

/// What the worker finds when it looks for work.
enum Next {
    Batch,
    End(End),
}

impl<T: Module> Resident<T> {
    pub(super) fn new(cell: Arc<Cell<Owner<T>>>, life: Life<T>) -> Self {
        let current = Some(Arc::clone(&cell) as Arc<dyn AnyCell>);
        let runtime = cell.core.environment.runtime().map(Handle::id);
        Self { cell, home: Some(Box::new(Home { life, current, runtime, is_broken: false })) }
    }

    /// The module's life, outside of [`run`](Self::run).
    pub(super) fn life(&mut self) -> Option<&mut Life<T>> {
        self.home.as_mut().map(|home| &mut home.life)
    }

    /// Handles message after message, and lets askers in meanwhile, until the module is to stop. Then the home is here.
    pub(super) async fn run(&mut self) -> End {
        loop {
            if let Next::End(end) = poll_fn(|cx| self.poll_next(cx)).await {
                return end;
            }
            let Some(home) = &mut self.home else { continue };
            let served = contain_unless_cut(&self.cell.core, pin!(Some(home.serve_batch()))).await;
            if let Err(panic) = served {
                home.fail(&panic);
                return End::Broken;
            }
        }
    }

    fn poll_next(&mut self, cx: &mut TaskContext<'_>) -> Poll<Next> {
        if self.home.is_none() {
            self.home = self.cell.mailbox.come_home().and_then(own);
        }
        // An asker that has it wakes this task when it brings it back, if there is something to do by then.
        let Some(mut home) = self.home.take() else { return Poll::Pending };
        let poll = if home.is_broken || self.cell.core.has(control::CUT) {
            Poll::Ready(Next::End(End::Broken))
        } else {
            home.life.ending.inbox.poll_ready(cx).map(|more| if more { Next::Batch } else { Next::End(End::Whole) })
        };
        self.home = match poll {
            Poll::Pending if home.life.ending.inbox.is_empty_handed() => {
                self.cell.mailbox.leave_home(home).and_then(own)
            }
            _ => Some(home),
        };
        poll
    }
}

/// A home as that of the type that lives in it.
fn own<T: Module>(home: AnyHome) -> Option<Box<Home<T>>> {
    home.downcast().ok()
}

impl<T: Module> Drop for Resident<T> {
    fn drop(&mut self) {
        if self.home.is_none() {
            match self.cell.mailbox.move_out() {
                Some(home) => drop(home),
                None => self.cell.mailbox.close(&self.cell.core, VecDeque::new()),
            }
        }
    }
}

/// An asker in the home of a module that has nothing to do.
pub(crate) struct Visit<'a, T: Module> {
    cell: &'a Cell<Owner<T>>,
    home: Option<Box<Home<T>>>,
    /// Where its message would stand in the queue.
    position: u64,
}

impl<'a, T: Module> Visit<'a, T> {
    /// Enters, unless the module has something to do, or its handler would not run as it does in the module's own task. Gives the deadline
    /// of the asker's own caller, too.
    #[inline]
    pub(crate) fn new(cell: &'a Cell<Owner<T>>, cx: &mut TaskContext<'_>) -> Option<(Self, Deadline)> {
        let (depth, inherited) = current::runs(&cell.core)?;
        if depth >= DEEPEST {
            return None;
        }
        // An asker that never waits would never give its thread back. Without a budget it waits for its turn in the queue.
        let Poll::Ready(budget) = coop::poll_proceed(cx) else { return None };
        let (home, position) = cell.mailbox.visit(&cell.core)?;
        let home = match home.downcast::<Home<T>>() {
            Ok(home) => home,
            Err(home) => {
                cell.leave(home);
                return None;
            }
        };
        let runtime = home.runtime;
        let visit = Self { cell, home: Some(home), position };
        if !is_on(runtime?) {
            return None;
        }
        budget.made_progress();
        Some((visit, inherited))
    }

    /// Runs the handler; `None` where it panicked, and the module has failed.
    #[inline]
    pub(crate) fn run<M>(mut self, message: M, deadline: Deadline) -> Option<T::Reply>
    where
        T: Answers<M>,
    {
        let core = &self.cell.core;
        let home = self.home.as_mut()?;
        let Home { life: Life { module: Some(module), ctx, .. }, current, .. } = &mut **home else { return None };
        core.set_deadline(deadline);
        core.set_visited(true);
        ctx.begin(T::Message::handler());
        let answer = entered!(core, current::run(current, self.position, || T::Message::answer(message, module, ctx)));
        core.set_visited(false);
        answer.unwrap_or_else(|panic| {
            home.break_down(self.cell, &panic);
            None
        })
    }
}

impl<T: Module> Home<T> {
    /// Nobody is admitted from now on; the worker does the rest.
    #[cold]
    fn break_down(&mut self, cell: &Cell<Owner<T>>, panic: &Panic) {
        self.fail(panic);
        let entered = Entered::new(&mut self.current);
        cell.core.begin_stopping();
        cell.mailbox.close(&cell.core, VecDeque::new());
        drop(entered);
    }
}

impl<T: Module> Drop for Visit<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            self.cell.leave(home);
        }
    }
}

impl<T: Module> Cell<T> {
    /// Puts the home back.
    #[inline]
    fn leave(&self, home: AnyHome) {
        if let Some(home) = self.mailbox.leave(&self.core, home) {
            end(home);
        }
    }
}

/// Ends a module whose worker was cut off while its handler ran here.
#[cold]
fn end(home: AnyHome) {
    if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(move || drop(home))) {
        tracing::error!(text = panic_text(&*panic), "a module that was cut off panicked when it was dropped");
    }
}

/// Whether what a handler spawns here would be spawned on `home`, where its module lives.
#[inline]
fn is_on(home: runtime::Id) -> bool {
    // A task stays on its runtime, and to ask it for its handle would write to memory that all threads share.
    let task = task::try_id();
    if task.is_some_and(|task| ASKER.get() == Some((task, home))) {
        return true;
    }
    let is_here = Handle::try_current().is_ok_and(|handle| handle.id() == home);
    if is_here {
        ASKER.set(task.map(|task| (task, home)));
    }
    is_here
}
