//! Asking: a message with an answer, and a deadline.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll, Waker, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::askers::{AskerKey, next_look};
use super::cell::{AnyCell, Core, control};
use super::current;
use super::deadline::{Deadline, Patience, When};
use super::deadlock::{EdgeGuard, On};
use super::error::{AskError, Cycle};
use super::handler::Answers;
use super::info::Timeout;
use super::inline::Visit;
use super::mailbox::{Accepted, Refusal, Terms};
use super::message_set::Accepts;
use super::module_ref::ModuleRef;
use super::polled_again::polled_again;
use super::reply::{Asked, NoAnswer, Slot};
use super::room::{Room, Unadmitted};

/// An ask to come: await it, or set its deadline first.
///
/// ```
/// # use dms::prelude::*;
/// # use std::time::Duration;
/// # #[module] struct Counter;
/// # #[module] impl Counter { #[handler(Get)] fn get(&self) -> u64 { 7 } }
/// # async fn ask(counter: ModuleRef<Counter>) -> Result<(), AskError> {
/// let count = counter.ask(Get).timeout(Duration::from_millis(50)).await?;
/// # Ok(()) }
/// ```
#[must_use = "an ask does nothing until it is awaited"]
pub struct Ask<'a, T: Answers<M>, M> {
    target: &'a ModuleRef<T>,
    message: M,
    timeout: Timeout,
}

impl<'a, T: Answers<M>, M: Send + 'static> Ask<'a, T, M> {
    pub(crate) fn new(target: &'a ModuleRef<T>, message: M) -> Self {
        Self::within(target, message, Timeout::Inherit)
    }

    pub(crate) fn within(target: &'a ModuleRef<T>, message: M, timeout: Timeout) -> Self {
        Self { target, message, timeout }
    }

    /// Gives up after `timeout`, exact to Tokio's millisecond. Inside a handler that was itself asked, never later than its caller gives up.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Timeout::After(timeout);
        self
    }

    /// Waits for as long as it takes. Inside a handler that was itself asked, the caller's deadline still counts.
    pub fn no_timeout(mut self) -> Self {
        self.timeout = Timeout::Never;
        self
    }
}

impl<'a, T: Answers<M>, M: Send + 'static> IntoFuture for Ask<'a, T, M> {
    type Output = Result<T::Reply, AskError>;
    type IntoFuture = AskFuture<'a, T, M>;

    fn into_future(self) -> AskFuture<'a, T, M> {
        AskFuture {
            target: self.target,
            stage: Stage::New(self.message, self.timeout),
            deadline: Deadline::NEVER,
            after: None,
            edge: None,
            noted: None,
            is_fresh: true,
            timer: None,
        }
    }
}

/// An ask under way.
///
/// # Cancel safety
/// Dropping it gives the ask up: a handler that has not begun does not begin; one that has runs to its end and its answer is dropped.
///
/// # Panics
/// When it is polled again after it was ready.
#[must_use = "futures do nothing unless polled"]
pub struct AskFuture<'a, T: Answers<M>, M> {
    target: &'a ModuleRef<T>,
    stage: Stage<T, M>,
    deadline: Deadline,
    /// How long it waits; `None` for as long as the settings say.
    after: Option<Duration>,
    edge: Option<EdgeGuard>,
    /// How the sweeps know of it, where they look after its deadline.
    noted: Option<Noted>,
    /// Whether the slot has just been made, with the waker at hand.
    is_fresh: bool,
    /// For a deadline that the sweeps do not look after.
    timer: Option<Pin<Box<Sleep>>>,
}

/// An ask among the [`Askers`](super::askers::Askers) of its target.
struct Noted {
    asker: AskerKey,
    /// How many sweeps there had been when it was noted, and when it was asked.
    at: u32,
    since: u32,
}

enum Stage<T: Answers<M>, M> {
    New(M, Timeout),
    /// In line for room.
    InLine(Box<Room<T>>, Asked<T::Reply>),
    Asked(Asked<T::Reply>),
    Done,
}

/// Only the boxed parts are ever pinned.
impl<T: Answers<M>, M> Unpin for AskFuture<'_, T, M> {}

impl<T: Answers<M>, M: Send + 'static> Future for AskFuture<'_, T, M> {
    type Output = Result<T::Reply, AskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if T::INLINE
            && T::Message::INLINE
            && let Some(answer) = this.answer_inline(cx)
        {
            return Poll::Ready(answer);
        }
        if let Stage::New(..) = this.stage
            && let Err(error) = this.begin(cx.waker())
        {
            return Poll::Ready(Err(error));
        }
        if let Stage::InLine(room, _) = &mut this.stage {
            match Pin::new(&mut **room).poll(cx) {
                Poll::Pending => return this.poll_deadline(cx).map(Err),
                Poll::Ready(Ok(position)) => {
                    let Stage::InLine(_, answer) = std::mem::replace(&mut this.stage, Stage::Done) else {
                        return Poll::Pending;
                    };
                    this.stage = Stage::Asked(answer);
                    this.note(position, current::waiting())?;
                }
                Poll::Ready(Err((_, why))) => return Poll::Ready(Err(this.unadmitted(why))),
            }
        }
        let Stage::Asked(answer) = &mut this.stage else { polled_again("AskFuture") };
        if this.is_fresh {
            // The slot was made with this very waker.
            this.is_fresh = false;
            return if this.noted.is_some() { Poll::Pending } else { this.poll_deadline(cx).map(Err) };
        }
        match answer.poll(cx.waker()) {
            Poll::Ready(answer) => {
                this.stage = Stage::Done;
                this.edge = None;
                Poll::Ready(answer.map_err(|why| this.error(why)))
            }
            Poll::Pending => this.poll_deadline(cx).map(Err),
        }
    }
}

impl<T: Answers<M>, M: Send + 'static> AskFuture<'_, T, M> {
    /// Runs the handler here and now if its module has nothing to do.
    #[inline]
    fn answer_inline(&mut self, cx: &mut TaskContext<'_>) -> Option<Result<T::Reply, AskError>> {
        let Stage::New(_, timeout) = self.stage else { return None };
        let cell = &self.target.cell;
        let core = &cell.core;
        let (visit, inherited) = Visit::<T>::new(cell, cx)?;
        let (deadline, after) = deadline_of_call(core, timeout, inherited);
        if after.is_some_and(|after| after.is_zero()) {
            // For a caller that has no time left the handler does not begin.
            return None;
        }
        let Stage::New(message, _) = std::mem::replace(&mut self.stage, Stage::Done) else { return None };
        let answer = visit.run(message, deadline);
        Some(answer.ok_or_else(|| self.error(NoAnswer::Panicked)))
    }

    /// There was no room, and will be none.
    #[cold]
    fn unadmitted(&mut self, why: Unadmitted) -> AskError {
        self.stage = Stage::Done;
        self.target.cell.mailbox.count_refused();
        match why {
            Unadmitted::Stopped => self.error(NoAnswer::Stopped),
            Unadmitted::WouldDeadlock(cycle) => AskError::WouldDeadlock { handler: T::Message::handler(), cycle },
        }
    }

    fn begin(&mut self, waker: &Waker) -> Result<(), AskError> {
        let Stage::New(message, timeout) = std::mem::replace(&mut self.stage, Stage::Done) else { return Ok(()) };
        let cell = &self.target.cell;
        let core = &cell.core;
        let caller = Caller::now(core);
        if caller.waits.as_ref().is_some_and(|asker| std::ptr::eq(asker.core(), core)) {
            let cycle = Cycle::of_one(core.name());
            cell.mailbox.count_refused();
            return Err(AskError::WouldDeadlock { handler: T::Message::handler(), cycle });
        }
        let (deadline, after) = deadline_of_call(core, timeout, caller.deadline);
        self.deadline = deadline;
        if after.is_some() {
            self.after = after;
        }

        let (reply, answer) = Slot::pair(self.deadline, &core.environment, waker.clone());
        let now = core.environment.sweeps();
        let due = self.deadline.as_sweep().map(|deadline| next_look(now, now, deadline));
        let terms = Terms { beyond_bound: false, asker: due.map(|due| (waker, due)) };
        let pushed =
            cell.mailbox.push(core, (message, reply), |(message, reply)| T::Message::pack(message, reply), terms);
        match pushed {
            Ok((accepted, list)) => {
                if list {
                    core.is_timed.store(true, Ordering::Release);
                    core.environment.timers.list(&core.environment, Arc::clone(cell) as Arc<dyn AnyCell>);
                }
                self.stage = Stage::Asked(answer);
                match accepted {
                    Accepted::At(position) => {
                        if due.is_some() {
                            self.noted = Some(Noted { asker: AskerKey::of(waker), at: now, since: now });
                        }
                        self.note(position, caller.waits)
                    }
                    Accepted::Dropped => Ok(()),
                }
            }
            Err((_, Refusal::Stopped)) => Err(self.refused()),
            Err((_, Refusal::Full)) => {
                cell.mailbox.count_refused();
                Err(AskError::Full { module: core.name(), handler: T::Message::handler() })
            }
            Err(((message, reply), Refusal::NoRoom)) => {
                // The sweeps look after what is in the mailbox; whoever waits outside has a timer.
                self.is_fresh = false;
                match Room::new(Arc::clone(cell), T::Message::pack(message, reply)) {
                    Ok(room) => {
                        self.stage = Stage::InLine(Box::new(room), answer);
                        Ok(())
                    }
                    Err(_) => Err(self.refused()),
                }
            }
        }
    }

    /// The error of an ask that the module does not take any more.
    #[cold]
    fn refused(&self) -> AskError {
        self.target.cell.mailbox.count_refused();
        self.error(NoAnswer::Stopped)
    }

    /// Notes that the module whose handler asks waits for the answer.
    #[inline]
    fn note(&mut self, position: u64, asker: Option<Arc<dyn AnyCell>>) -> Result<(), AskError> {
        match asker {
            None => Ok(()),
            Some(asker) => self.note_edge(position, asker),
        }
    }

    fn note_edge(&mut self, position: u64, asker: Arc<dyn AnyCell>) -> Result<(), AskError> {
        match EdgeGuard::new(asker, Arc::clone(&self.target.cell) as Arc<dyn AnyCell>, On::Reply(position)) {
            Ok(edge) => {
                self.edge = Some(edge);
                Ok(())
            }
            Err(cycle) => {
                // With the answer's receiver dropped, the handler does not begin.
                self.stage = Stage::Done;
                Err(AskError::WouldDeadlock { handler: T::Message::handler(), cycle })
            }
        }
    }

    /// Ready with the error when the deadline has passed.
    #[inline]
    fn poll_deadline(&mut self, cx: &mut TaskContext<'_>) -> Poll<AskError> {
        if self.deadline.is_never() {
            Poll::Pending
        } else if self.noted.is_some() {
            self.poll_sweeps(cx)
        } else {
            self.poll_exact_timer(cx)
        }
    }

    /// For a deadline that the sweeps look after: they wake whoever is noted.
    #[cold]
    fn poll_sweeps(&mut self, cx: &mut TaskContext<'_>) -> Poll<AskError> {
        let cell = &self.target.cell;
        let environment = &cell.core.environment;
        let (Some(noted), Some(deadline)) = (&mut self.noted, self.deadline.as_sweep()) else { return Poll::Pending };
        let (now, asker) = (environment.sweeps(), AskerKey::of(cx.waker()));
        if self.deadline.is_swept(now) {
            return Poll::Ready(self.give_up(NoAnswer::TimedOut));
        }
        // A sweep may have taken the note; and a future may be polled by another task than before.
        if noted.at != now || noted.asker != asker {
            (noted.at, noted.asker) = (now, asker);
            if cell.mailbox.note_asker(cx.waker(), next_look(noted.since, now, deadline)) {
                environment.timers.list(environment, Arc::clone(cell) as Arc<dyn AnyCell>);
            }
        }
        if cell.core.has(control::GONE) {
            return Poll::Ready(self.give_up(NoAnswer::Stopped));
        }
        Poll::Pending
    }

    fn poll_exact_timer(&mut self, cx: &mut TaskContext<'_>) -> Poll<AskError> {
        let timer = match &mut self.timer {
            Some(timer) => timer,
            timer => {
                let at = match self.deadline.when() {
                    When::Never => return Poll::Pending,
                    When::Sweep(_) => Instant::now() + self.deadline.left(self.target.cell.core.environment.sweeps()),
                    When::At(at) => at,
                };
                // An ask may be polled outside a runtime, by `blocking_ask`.
                let _entered = self.target.cell.core.environment.runtime().map(tokio::runtime::Handle::enter);
                timer.insert(Box::pin(sleep_until(at)))
            }
        };
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(self.give_up(NoAnswer::TimedOut))
    }

    fn give_up(&mut self, why: NoAnswer) -> AskError {
        self.stage = Stage::Done;
        self.edge = None;
        self.error(why)
    }

    #[cold]
    fn error(&self, why: NoAnswer) -> AskError {
        let module = self.target.cell.core.name();
        let handler = T::Message::handler();
        match why {
            NoAnswer::TimedOut => {
                let after = self.after.or(patience(&self.target.cell.core, Timeout::Inherit).after());
                AskError::Timeout { module, handler, after: after.unwrap_or(Duration::MAX) }
            }
            NoAnswer::Stopped => AskError::Stopped { module, handler },
            NoAnswer::Panicked => AskError::Panicked { module, handler },
            NoAnswer::NoReply => AskError::NoReply { module, handler },
            NoAnswer::Dropped => AskError::Dropped { module, handler },
            NoAnswer::CutOff => AskError::CutOff { module, handler },
            NoAnswer::Overran(after) => AskError::Overran { module, handler, after },
        }
    }
}

/// How long an ask waits where nothing is inherited.
fn patience(core: &Core, timeout: Timeout) -> Patience {
    match timeout {
        Timeout::Inherit => Patience::of_module(core.info().timeout, core.environment.patience),
        Timeout::After(after) => Patience::of_call(Some(after)),
        Timeout::Never => Patience::of_call(None),
    }
}

/// Who asks.
struct Caller {
    /// When the caller of the handler that asks gives up.
    deadline: Deadline,
    /// The module that the ask holds up.
    waits: Option<Arc<dyn AnyCell>>,
}

impl Caller {
    #[inline]
    fn now(asked: &Core) -> Self {
        current::with(|current| match current {
            None => Self { deadline: Deadline::NEVER, waits: None },
            Some(current) => {
                let core = current.core();
                let deadline = core.deadline_for(asked);
                let waits = core.is_in_handler().then(|| Arc::clone(current));
                Self { deadline, waits }
            }
        })
    }
}

/// When a call gives up; and how long that is from now, where it is not what the settings say.
#[inline(always)]
#[allow(clippy::inline_always, reason = "on the path of every ask, where nearly all of it falls away")]
fn deadline_of_call(asked: &Core, timeout: Timeout, inherited: Deadline) -> (Deadline, Option<Duration>) {
    let sweeps_now = asked.environment.sweeps();
    match asked.sweeps {
        Some(sweeps) if timeout == Timeout::Inherit && inherited.is_never() => {
            (Deadline::after_sweeps(sweeps, sweeps_now), None)
        }
        _ => {
            let (deadline, after) = Deadline::of_call(patience(asked, timeout), inherited, sweeps_now);
            (deadline, Some(after))
        }
    }
}

impl<T: Answers<M>, M> fmt::Debug for Ask<'_, T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask").field("module", self.target).field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl<T: Answers<M>, M> fmt::Debug for AskFuture<'_, T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskFuture").field("module", self.target).finish_non_exhaustive()
    }
}
