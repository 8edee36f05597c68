//! The reference by which a module is reached.

use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use super::ask::Ask;
use super::blocking::{block_on, may_block};
use super::cell::{AnyCell, Cell};
use super::down::Watch;
use super::error::{AskError, SendError};
use super::handler::{Answers, Module};
use super::info::ModuleInfo;
use super::kill::Kill;
use super::lifecycle::{ModuleId, ModuleReport, ModuleState};
use super::mailbox::{Refusal, Terms};
use super::message_set::{Accepts, Owner};
use super::polled_again::polled_again;
use super::recipient::Recipient;
use super::reply::ReplyTo;
use super::room::{Room, Unadmitted};
use super::stop::{self, How, Stop};
use super::tick::{self, TimerHandle};

/// A reference to a module: cheap to clone, a message itself, and no owner.
///
/// It names the module and not its present incarnation. Modules live until they are stopped: dropping references ends nothing.
pub struct ModuleRef<T: Module> {
    pub(crate) cell: Arc<Cell<Owner<T>>>,
}

impl<T: Module> ModuleRef<T> {
    /// Sends a message. When this returns, the message is at the end of the module's queue (seed 000, contract M2).
    ///
    /// On a bounded mailbox with the policy `wait`, the default, this waits for room, first come first served.
    ///
    /// # Errors
    /// The message comes back where the module has stopped, the full mailbox rejects, or waiting for room would never end.
    ///
    /// # Cancel safety
    /// Cancel safe: a message that has not been delivered is dropped with the future and was never in the mailbox; no place in the line is lost
    /// for others.
    #[inline]
    pub fn send<M>(&self, message: M) -> impl Future<Output = Result<(), SendError<M>>> + Send
    where
        T: Answers<M>,
        M: Send + 'static,
    {
        Sending { target: self, stage: Stage::New(message), waits: false }
    }

    /// Sends a message without waiting.
    ///
    /// # Errors
    /// As [`send`](Self::send); a full mailbox that would wait is [`SendError::Full`].
    pub fn try_send<M>(&self, message: M) -> Result<(), SendError<M>>
    where
        T: Answers<M>,
        M: Send + 'static,
    {
        self.push(message).map_err(|(message, refusal)| self.refused(message, refusal))
    }

    /// Sends a message from a thread that is not the runtime's; blocks it where `send` would wait.
    ///
    /// Inside a handler it does not wait: it is [`try_send`](Self::try_send) there, except on a thread that may be blocked, as a `ModuleAdapter`'s. From other asynchronous code it blocks the runtime's thread: use
    /// [`send`](Self::send).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn blocking_send<M>(&self, message: M) -> Result<(), SendError<M>>
    where
        T: Answers<M>,
        M: Send + 'static,
    {
        if may_block() { block_on(self.send(message)) } else { self.try_send(message) }
    }

    /// Sends a message and waits for its handler's reply.
    ///
    /// Await it as it is, or set the call's deadline first: `counter.ask(Get).timeout(Duration::from_secs(1)).await`. Without one, that of the module's
    /// `timeout` attribute counts, then the system's, at last 5 seconds. A deadline of 2.5 s and more that is not set on the call
    /// may be up to 10 % late, never early; all others are exact to Tokio's millisecond.
    pub fn ask<M>(&self, message: M) -> Ask<'_, T, M>
    where
        T: Answers<M>,
        M: Send + 'static,
    {
        Ask::new(self, message)
    }

    /// Asks from a thread that is not the runtime's, and blocks it until the reply is there.
    ///
    /// # Errors
    /// As [`ask`](Self::ask); inside a handler [`AskError::WouldBlock`], except on a thread that may be blocked, as a `ModuleAdapter`'s.
    pub fn blocking_ask<M>(&self, message: M) -> Result<T::Reply, AskError>
    where
        T: Answers<M>,
        M: Send + 'static,
    {
        if may_block() {
            block_on(self.ask(message))
        } else {
            Err(AskError::WouldBlock { handler: T::Message::handler() })
        }
    }

    /// Sends a stream's item: waits for room whatever the policy, for the stream can wait.
    pub(crate) fn feed<M>(&self, message: M) -> impl Future<Output = Result<(), SendError<M>>> + Send
    where
        T: Answers<M>,
        M: Send + 'static,
    {
        Sending { target: self, stage: Stage::New(message), waits: true }
    }

    /// Sends a message after `delay`, unless the handle stops it or the module has stopped by then (it is undelivered then, and counted).
    ///
    /// It does not wait for room in a bounded mailbox. A delay that does not fit the clock, such as [`Duration::MAX`], never ends.
    pub fn send_after<M>(&self, message: M, delay: Duration) -> TimerHandle
    where
        T: Answers<M>,
        M: Send + 'static,
    {
        tick::delay(self, message, delay)
    }

    /// Sends a clone of `message` each `interval`, first after one (seed 000, contract T1 to T4).
    ///
    /// The n-th tick is due at n times the interval from now, without drift; requests add up. An interval below a millisecond is taken as one,
    /// [`Duration::MAX`] never ticks. Ticks do not wait for room in a bounded mailbox; while 1,024 ticks of this request wait, later ones are
    /// skipped and counted by [`TimerHandle::skipped`]. They end with [`TimerHandle::stop`] or with the module.
    ///
    /// They outlive restarts and reloads, as those of `#[tick]` do: what asks for ticks in `#[init]` does so only in the first incarnation
    /// ([`Context::incarnation`](crate::Context::incarnation)), or there are more with each. What a new one asked for whose reload failed ends with it.
    pub fn request_tick<M>(&self, message: M, interval: Duration) -> TimerHandle
    where
        T: Answers<M>,
        M: Clone + Send + 'static,
    {
        tick::request(self, T::Message::handler(), interval, move || {
            T::Message::pack(message.clone(), ReplyTo::nobody())
        })
    }

    /// A reference to this module as a receiver of the one message `M`, whatever the module's type.
    #[must_use]
    pub fn recipient<M>(&self) -> Recipient<M>
    where
        T: Answers<M>,
        M: Send + 'static,
    {
        Recipient::new(self)
    }

    /// Stops the module and its children: the running handler finishes, no other begins, the `stop` hook runs, the module is dropped. Then this
    /// returns. Asks that wait in the queue fail at once; those in the batch that the worker had taken already, when the running handler returns.
    ///
    /// Called by the module itself, or by one that this module waits for, it begins the stop and returns at once, with [`ModuleState::Stopping`] in the
    /// report: a module ends after its children, and after its running handler. It may be called again, and by many at once.
    ///
    /// It is refused while other modules that run depend on this one, unless they are stopped [with it](Stop::with_dependents), and where the module is
    /// [essential](crate::ModuleFlags::ESSENTIAL).
    ///
    /// # Errors
    /// It was refused. A module that has ended already is reported.
    ///
    /// # Cancel safety
    /// Once polled the stop goes on, whether or not this is awaited to its end.
    pub fn stop(&self) -> Stop {
        Stop::new(Arc::clone(&self.cell) as Arc<dyn AnyCell>, How::Stop)
    }

    /// Refuses new messages, lets those that wait in the mailbox be handled, then stops the module as [`stop`](Self::stop) does. A `send` that still waits
    /// for room gets its message back.
    ///
    /// [With its dependents](Stop::with_dependents) each of them is drained before what it depends on, which still answers it.
    ///
    /// # Errors
    /// It was refused, as a stop is.
    ///
    /// # Cancel safety
    /// Once polled the drain goes on, whether or not this is awaited to its end.
    pub fn drain(&self) -> Stop {
        Stop::new(Arc::clone(&self.cell) as Arc<dyn AnyCell>, How::Drain)
    }

    /// Ends the module at once: its running handler, loop or hook is dropped at its next `await`, no `stop` hook runs, and its tasks are cancelled. Its children are
    /// stopped as ever, and waited for. Whoever waits for the answer of the handler gets [`AskError::CutOff`].
    ///
    /// It is a failure like a panic, [`Failure::Killed`](crate::Failure::Killed), with all that follows: a module that is started again when it fails is so now, and
    /// handles what waits in its mailbox; another one ends, and that is undelivered. Unlike a stop it is never refused, so modules that depend on this one run on, and
    /// that of an [essential](crate::ModuleFlags::ESSENTIAL) module ends the system. A module that waits to be started again is killed as it begins.
    ///
    /// A handler that blocks its thread, or never waits for anything, cannot be dropped: it ends first.
    ///
    /// Gives the module's report once it has ended, or the killed incarnation of it has. Called by the module itself, or by one that this module waits for, it returns
    /// at once.
    ///
    /// ```
    /// use dms::prelude::*;
    /// use dms::{Failure, ModuleState};
    ///
    /// #[module]
    /// struct Mill;
    ///
    /// #[module]
    /// impl Mill {
    ///     #[handler(Grind)]
    ///     async fn grind(&mut self) { std::future::pending().await }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new();
    /// let mill = system.register_module(Mill).await?;
    /// mill.send(Grind {}).await?;
    /// let report = mill.kill().await;
    /// assert_eq!((report.state, report.failure), (ModuleState::Failed, Some(Failure::Killed)));
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Cancel safety
    /// Once polled the module is killed, whether or not this is awaited to its end.
    pub fn kill(&self) -> Kill {
        Kill::new(Arc::clone(&self.cell) as Arc<dyn AnyCell>)
    }

    /// Waits until the module has ended and been dropped, and says how. Called by the module itself it returns at once.
    pub async fn stopped(&self) -> ModuleReport {
        let cell = Arc::clone(&self.cell) as Arc<dyn AnyCell>;
        stop::ended(&cell).await
    }

    /// Tells of each end of an incarnation of the module from now on; of the last one, where the module has ended for good already.
    #[must_use]
    pub fn watch(&self) -> Watch {
        let (watcher, watch) = Watch::new();
        self.cell.core.watch_downs(watcher);
        watch
    }

    /// How many messages wait; the one being handled waits no more.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.cell.depth()
    }

    /// Where the module is in its life.
    #[must_use]
    pub fn state(&self) -> ModuleState {
        self.cell.core.state()
    }

    /// Waits until the module's state is no longer `state`, and gives the new one. A state that is passed through between two looks may be missed.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn changed_from(&self, state: ModuleState) -> ModuleState {
        self.cell.core.wait_until(|now| now != state).await
    }

    /// Which incarnation of the module runs, or is to come: 1, and one more with each [restart](crate::recovery::Restart) and [reload](Self::reload).
    #[must_use]
    pub fn incarnation(&self) -> u32 {
        self.cell.core.incarnation()
    }

    /// What the module says of itself.
    #[must_use]
    pub fn info(&self) -> &ModuleInfo {
        self.cell.core.shown_info()
    }

    /// The module's name: the one given, else the type's with the id.
    #[must_use]
    pub fn name(&self) -> String {
        self.cell.core.name()
    }

    /// The module's id.
    #[must_use]
    pub fn id(&self) -> ModuleId {
        self.cell.core.id
    }

    #[inline]
    pub(super) fn push<M>(&self, message: M) -> Result<(), (M, Refusal)>
    where
        T: Answers<M>,
    {
        let pack = |message| T::Message::pack(message, ReplyTo::nobody());
        self.cell.mailbox.push(&self.cell.core, message, pack, Terms::default()).map(|_| ())
    }

    /// Delivers what no bound may hold up: the results of the module's own tasks.
    pub(crate) fn deliver_beyond_bound<M>(&self, message: M)
    where
        T: Answers<M>,
    {
        let pack = |message| T::Message::pack(message, ReplyTo::nobody());
        let terms = Terms { beyond_bound: true, asker: None };
        // A module that has stopped wants no results any more.
        let _ = self.cell.mailbox.push(&self.cell.core, message, pack, terms);
    }

    #[cold]
    pub(super) fn refused<M>(&self, message: M, refusal: Refusal) -> SendError<M> {
        self.cell.mailbox.count_refused();
        match refusal {
            Refusal::Stopped => SendError::Stopped(message, self.name()),
            Refusal::Full | Refusal::NoRoom => SendError::Full(message, self.name()),
        }
    }
}

/// A message on its way into the mailbox.
struct Sending<'a, T: Answers<M>, M> {
    target: &'a ModuleRef<T>,
    stage: Stage<T, M>,
    /// Whether it waits for room where the policy would reject.
    waits: bool,
}

enum Stage<T: Module, M> {
    New(M),
    InLine(Room<T>),
    Done,
}

/// A message is never pinned, and the place in the line does not need to be.
impl<T: Answers<M>, M> Unpin for Sending<'_, T, M> {}

impl<T: Answers<M>, M: Send + 'static> Future for Sending<'_, T, M> {
    type Output = Result<(), SendError<M>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Stage::InLine(_) = this.stage {
            return this.poll_in_line(cx);
        }
        let Stage::New(message) = mem::replace(&mut this.stage, Stage::Done) else { polled_again("send") };
        match this.target.push(message) {
            Ok(()) => Poll::Ready(Ok(())),
            Err((message, refusal)) => this.poll_refused(message, refusal, cx),
        }
    }
}

impl<T: Answers<M>, M: Send + 'static> Sending<'_, T, M> {
    #[cold]
    fn poll_refused(
        &mut self,
        message: M,
        refusal: Refusal,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Result<(), SendError<M>>> {
        if refusal != Refusal::NoRoom && (!self.waits || refusal == Refusal::Stopped) {
            return Poll::Ready(Err(self.target.refused(message, refusal)));
        }
        match Room::new(Arc::clone(&self.target.cell), T::Message::pack(message, ReplyTo::nobody())) {
            Ok(room) => {
                self.stage = Stage::InLine(room);
                self.poll_in_line(cx)
            }
            Err(message) => Poll::Ready(self.unadmitted(message, Unadmitted::Stopped)),
        }
    }

    fn poll_in_line(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), SendError<M>>> {
        let Stage::InLine(room) = &mut self.stage else { return Poll::Pending };
        let admitted = ready!(Pin::new(room).poll(cx));
        self.stage = Stage::Done;
        Poll::Ready(match admitted {
            Ok(_) => Ok(()),
            Err((message, why)) => self.unadmitted(message, why),
        })
    }

    #[cold]
    fn unadmitted(&self, message: T::Message, why: Unadmitted) -> Result<(), SendError<M>> {
        self.target.cell.mailbox.count_refused();
        // What was packed as `M` unpacks as `M`: a variant belongs to one message type.
        message.unpack().map_or(Ok(()), |message| {
            Err(match why {
                Unadmitted::Stopped => SendError::Stopped(message, self.target.name()),
                Unadmitted::WouldDeadlock(cycle) => SendError::WouldDeadlock(message, cycle),
            })
        })
    }
}

impl<T: Module> Clone for ModuleRef<T> {
    fn clone(&self) -> Self {
        Self { cell: Arc::clone(&self.cell) }
    }
}

/// References are equal that name the same module.
impl<T: Module> PartialEq for ModuleRef<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.cell, &other.cell)
    }
}

impl<T: Module> Eq for ModuleRef<T> {}

impl<T: Module> Hash for ModuleRef<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl<T: Module> fmt::Debug for ModuleRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModuleRef({}, {})", self.name(), self.state())
    }
}
