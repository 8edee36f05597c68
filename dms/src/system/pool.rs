//! Several modules of one kind behind one handle.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::hash::{BuildHasher, Hash, RandomState};
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll, ready};

use parking_lot::Mutex;

use super::error::RegisterError;
use super::register::{Register, RegisterFuture};
use super::system::SystemRef;
use crate::Overflow;
use crate::module::cell::AnyCell;
use crate::module::polled_again::polled_again;
use crate::module::stop::{Ending, How, StopError};
use crate::module::worker::panic_text;
use crate::module::{Answers, Ask, Module, ModuleId, ModuleRef, ModuleReport, SendError};
use crate::recovery::{Restart, RestartPolicy};

/// Which member of a pool gets a message. What must go to the same member each time goes [by key](Pool::by_key).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Routing {
    /// The member with the fewest messages, the one it handles counted; among equals one after the other. Looks at every member.
    #[default]
    LeastLoaded,
    /// One after the other.
    RoundRobin,
}

/// Several modules of one kind behind one handle, cheap to clone. Each is a module of its own; one that has stopped is passed over.
///
/// ```
/// # use dms::prelude::*;
/// #[module]
/// struct Square;
/// #[module]
/// impl Square {
///     #[handler(Of)]
///     fn of(&self, number: u64) -> u64 { number * number }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// let squares = system.register_pool(4, |_| Square).await?;
/// assert_eq!(squares.ask(Of { number: 7 }).await?, 49);
/// assert_eq!(squares.by_key("seven").ask(Of { number: 7 }).await?, 49);
/// # system.shutdown().await;
/// # Ok(()) }
/// ```
pub struct Pool<T: Module> {
    inner: Arc<Inner<T>>,
}

struct Inner<T: Module> {
    members: Vec<ModuleRef<T>>,
    routing: Routing,
    next: AtomicUsize,
    hasher: RandomState,
}

impl<T: Module> Pool<T> {
    /// Sends to the member that the routing picks; to another where that one has stopped meanwhile. Where the picked member's mailbox is full its policy counts,
    /// and a wait is for room in that mailbox.
    ///
    /// # Errors
    /// As [`ModuleRef::send`]; [`SendError::Stopped`] when all members have stopped.
    ///
    /// # Cancel safety
    /// As [`ModuleRef::send`].
    pub async fn send<M>(&self, message: M) -> Result<(), SendError<M>>
    where
        T: Answers<M>,
        M: Send + 'static,
    {
        let mut message = message;
        for _ in 1..self.len() {
            match self.pick().send(message).await {
                Err(SendError::Stopped(back, _)) => message = back,
                other => return other,
            }
        }
        self.pick().send(message).await
    }

    /// As [`send`](Self::send), from a thread that is not the runtime's: blocks it where `send` would wait.
    ///
    /// # Errors
    /// As [`ModuleRef::blocking_send`].
    pub fn blocking_send<M>(&self, message: M) -> Result<(), SendError<M>>
    where
        T: Answers<M>,
        M: Send + 'static,
    {
        let mut message = message;
        for _ in 1..self.len() {
            match self.pick().blocking_send(message) {
                Err(SendError::Stopped(back, _)) => message = back,
                other => return other,
            }
        }
        self.pick().blocking_send(message)
    }

    /// As [`send`](Self::send), without waiting for room.
    ///
    /// # Errors
    /// As [`ModuleRef::try_send`].
    pub fn try_send<M>(&self, message: M) -> Result<(), SendError<M>>
    where
        T: Answers<M>,
        M: Send + 'static,
    {
        let mut message = message;
        for _ in 1..self.len() {
            match self.pick().try_send(message) {
                Err(SendError::Stopped(back, _)) => message = back,
                other => return other,
            }
        }
        self.pick().try_send(message)
    }

    /// Asks the member that the routing picks.
    pub fn ask<M>(&self, message: M) -> Ask<'_, T, M>
    where
        T: Answers<M>,
        M: Send + 'static,
    {
        self.pick().ask(message)
    }

    /// The member that has this key: the same for equal keys as long as the pool lives, also once it has stopped.
    pub fn by_key<K: Hash + ?Sized>(&self, key: &K) -> &ModuleRef<T> {
        let hash = self.inner.hasher.hash_one(key);
        let count = self.inner.members.len() as u64;
        // A remainder is below the count, which is a `usize`.
        &self.inner.members[usize::try_from(hash % count).unwrap_or_default()]
    }

    /// The members, by number.
    #[must_use]
    pub fn members(&self) -> &[ModuleRef<T>] {
        &self.inner.members
    }

    /// How many members there are, stopped ones counted.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a pool has at least one member")]
    pub fn len(&self) -> usize {
        self.inner.members.len()
    }

    /// How many messages wait in all members' mailboxes.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.inner.members.iter().map(ModuleRef::depth).sum()
    }

    /// Stops all members at once, and waits until they have ended.
    ///
    /// # Errors
    /// As [`ModuleRef::stop`]; none of them is stopped then.
    ///
    /// # Cancel safety
    /// Once polled the stop goes on, whether or not this is awaited to its end.
    pub fn stop(&self) -> StopPool {
        self.end(How::Stop)
    }

    /// Drains all members at once, and waits until they have ended.
    ///
    /// # Errors
    /// As [`stop`](Self::stop).
    ///
    /// # Cancel safety
    /// Once polled the drain goes on, whether or not this is awaited to its end.
    pub fn drain(&self) -> StopPool {
        self.end(How::Drain)
    }

    fn end(&self, how: How) -> StopPool {
        let cells = self.inner.members.iter().map(|member| Arc::clone(&member.cell) as Arc<dyn AnyCell>);
        StopPool(Ending::new(cells.collect(), how))
    }

    fn pick(&self) -> &ModuleRef<T> {
        let members = &self.inner.members;
        let first = self.inner.next.fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..members.len()).map(|step| &members[first.wrapping_add(step) % members.len()]);
        let mut alive = in_turn.filter(|member| !member.cell.core.is_ending() && !member.state().is_ended());
        let picked = match self.inner.routing {
            Routing::RoundRobin => alive.next(),
            Routing::LeastLoaded => alive.min_by_key(|member| member.cell.load()),
        };
        picked.unwrap_or(&members[first % members.len()])
    }
}

impl<T: Module> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<T: Module> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("members", &self.inner.members).field("routing", &self.inner.routing).finish()
    }
}

/// The stop of a pool, or its drain: await it. Refused as a [`Stop`](crate::Stop) is.
///
/// # Cancel safety
/// Once polled the stop goes on, whether or not this is awaited to its end.
#[must_use = "nothing is stopped until this is awaited"]
pub struct StopPool(Ending<Vec<Arc<dyn AnyCell>>>);

impl StopPool {
    /// Ends the modules that depend on a member too, and those that depend on them: each before what it depends on.
    pub fn with_dependents(mut self) -> Self {
        self.0.with_dependents();
        self
    }
}

impl Future for StopPool {
    type Output = Result<Vec<ModuleReport>, StopError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        ready!(self.0.poll_ended(cx))?;
        Poll::Ready(Ok(self.0.targets().iter().map(|member| member.core().report()).collect()))
    }
}

impl fmt::Debug for StopPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopPool").finish_non_exhaustive()
    }
}

/// Makes the member of a number.
type Make<T> = Box<dyn FnMut(usize) -> T + Send>;

/// The registration of a pool to come: await it, or set something first.
#[must_use = "nothing is registered until this is awaited"]
pub struct RegisterPool<T: Module> {
    system: SystemRef,
    count: usize,
    /// Shared with the members that are to be built again.
    make: Arc<Mutex<Make<T>>>,
    parent: Option<ModuleId>,
    restart: Option<Restart>,
    routing: Routing,
    name: Option<String>,
    mailbox: Option<usize>,
    overflow: Option<Overflow>,
}

impl<T: Module> RegisterPool<T> {
    pub(super) fn new(system: SystemRef, count: usize, make: Make<T>, parent: Option<ModuleId>) -> Self {
        let name = const { T::INFO }.unique.then(|| const { T::INFO }.name.to_owned());
        Self {
            system,
            count,
            make: Arc::new(Mutex::new(make)),
            parent,
            restart: None,
            routing: Routing::default(),
            name,
            mailbox: None,
            overflow: None,
        }
    }

    /// Says which member gets a message; the least loaded one without this.
    pub fn routing(mut self, routing: Routing) -> Self {
        self.routing = routing;
        self
    }

    /// Names the members `name-0`, `name-1` and so on.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Bounds each member's mailbox to `capacity` waiting messages; 0 is taken as 1.
    pub fn mailbox(mut self, capacity: usize) -> Self {
        self.mailbox = Some(capacity);
        self
    }

    /// Says what happens to a message that finds its member's mailbox full.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = Some(overflow);
        self
    }

    /// Says how each member is started again, instead of what its type says; it is built again with the same number.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = Some(restart);
        self
    }

    fn member(&mut self, number: usize) -> Result<RegisterFuture<T>, RegisterError> {
        let make = Arc::clone(&self.make);
        let make = move || (make.lock())(number);
        let module = panic::catch_unwind(AssertUnwindSafe(&make)).map_err(|panic| {
            let module = self.name.clone().unwrap_or_else(|| const { T::INFO }.name.to_owned());
            RegisterError::Panicked { module, place: "new", text: panic_text(&*panic) }
        })?;
        let mut member: Register<T> = match self.parent {
            None => self.system.register_module(module),
            Some(parent) => self.system.register_child(module, parent),
        };
        if let Some(restart) = self.restart {
            member = member.restart(restart);
        }
        if self.restart.unwrap_or(const { T::INFO }.restart).policy != RestartPolicy::Never {
            member = member.built_again_with(Box::new(move |_| make()));
        }
        if let Some(name) = &self.name {
            member = member.name(format!("{name}-{number}"));
        }
        if let Some(mailbox) = self.mailbox {
            member = member.mailbox(mailbox);
        }
        if let Some(overflow) = self.overflow {
            member = member.overflow(overflow);
        }
        Ok(member.into_future())
    }
}

impl<T: Module> IntoFuture for RegisterPool<T> {
    type Output = Result<Pool<T>, RegisterError>;
    type IntoFuture = RegisterPoolFuture<T>;

    fn into_future(self) -> RegisterPoolFuture<T> {
        RegisterPoolFuture { pool: self, members: Vec::new(), step: Step::Next }
    }
}

/// The registration of a pool under way: its members start one after the other. Where one fails, those before are stopped, the youngest first.
///
/// # Cancel safety
/// Dropping it before it is ready stops the members that have started.
///
/// # Panics
/// When it is polled again after it was ready.
#[must_use = "futures do nothing unless polled"]
pub struct RegisterPoolFuture<T: Module> {
    pool: RegisterPool<T>,
    members: Vec<ModuleRef<T>>,
    step: Step<T>,
}

enum Step<T: Module> {
    Next,
    Starting(RegisterFuture<T>),
    Undoing(Pin<Box<dyn Future<Output = ()> + Send>>, Option<RegisterError>),
    Done,
}

/// The parts are never pinned.
impl<T: Module> Unpin for RegisterPoolFuture<T> {}

impl<T: Module> Future for RegisterPoolFuture<T> {
    type Output = Result<Pool<T>, RegisterError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            match &mut this.step {
                Step::Next if this.pool.count == 0 => {
                    this.step = Step::Done;
                    return Poll::Ready(Err(RegisterError::EmptyPool { module: const { T::INFO }.name.to_owned() }));
                }
                Step::Next if this.members.len() == this.pool.count => {
                    this.step = Step::Done;
                    let inner = Inner {
                        members: std::mem::take(&mut this.members),
                        routing: this.pool.routing,
                        next: AtomicUsize::new(0),
                        hasher: RandomState::new(),
                    };
                    return Poll::Ready(Ok(Pool { inner: Arc::new(inner) }));
                }
                Step::Next => {
                    this.step = match this.pool.member(this.members.len()) {
                        Ok(member) => Step::Starting(member),
                        Err(error) => this.undo(error),
                    };
                }
                Step::Starting(member) => {
                    this.step = match ready!(Pin::new(member).poll(cx)) {
                        Ok(member) => {
                            this.members.push(member);
                            Step::Next
                        }
                        Err(error) => this.undo(error),
                    };
                }
                Step::Undoing(undo, error) => {
                    ready!(undo.as_mut().poll(cx));
                    let error = error.take();
                    this.step = Step::Done;
                    if let Some(error) = error {
                        return Poll::Ready(Err(error));
                    }
                }
                Step::Done => polled_again("RegisterPoolFuture"),
            }
        }
    }
}

impl<T: Module> RegisterPoolFuture<T> {
    fn undo(&mut self, error: RegisterError) -> Step<T> {
        Step::Undoing(self.take_back(), Some(error))
    }

    fn take_back(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let members = std::mem::take(&mut self.members);
        let cells: Vec<_> = members.iter().map(|member| Arc::clone(&member.cell) as Arc<dyn AnyCell>).collect();
        match self.pool.system.shared() {
            Some(shared) => Box::pin(shared.take_back(&cells)),
            // Its modules are ending by themselves.
            None => Box::pin(std::future::ready(())),
        }
    }
}

impl<T: Module> Drop for RegisterPoolFuture<T> {
    fn drop(&mut self) {
        if !self.members.is_empty() {
            drop(self.take_back());
        }
    }
}

impl<T: Module> fmt::Debug for RegisterPool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterPool").field("count", &self.count).finish_non_exhaustive()
    }
}

impl<T: Module> fmt::Debug for RegisterPoolFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterPoolFuture").field("started", &self.members.len()).finish_non_exhaustive()
    }
}
