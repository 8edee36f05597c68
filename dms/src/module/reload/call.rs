//! Asking for a reload, and waiting for it.

use std::any::Any;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use super::error::ReloadError;
use super::order::{Answer, Done, Expiry, Limit, Order, place};
use super::report::{ReloadOutcome, ReloadReport};
use super::successor::{Make, Newcomer, State, Successor};
use crate::module::cell::{AnyCell, Cell};
use crate::module::handler::Module;
use crate::module::message_set::{MessageSet, Owner};
use crate::module::module_ref::ModuleRef;
use crate::module::polled_again::polled_again;
#[cfg(feature = "snapshot")]
use crate::module::snapshot::Snapshot;
use crate::module::stop;

/// How long a reload may take where nothing else is said.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

impl<T: Module> ModuleRef<T> {
    /// Puts `new` in the module's place, while it runs: `init`, `restore` and `start` of the new one run while the old one is whole, and only then it takes over. Should any of
    /// that fail, the new one is dropped and the old one goes on as if nothing had been.
    ///
    /// The running handler of the old one finishes. What is sent meanwhile waits, and is handled once, in order, by whoever has the place afterwards. References, name, children's
    /// parent, ticks and subscriptions stay; tasks and children that are the old one's end with it, after the new one has started, and then its `stop` hook runs. So for a while there are both, and a child of the
    /// new one needs a name of its own.
    ///
    /// With the feature `snapshot` the state goes from the old one's `#[snapshot]` to the new one's `#[restore]`. Else the new one has what it brings.
    ///
    /// The module says that it can be reloaded with the flag [`HOT_RELOADABLE`](crate::ModuleFlags::HOT_RELOADABLE). Called by the module itself, or by one that this
    /// module waits for, it begins the reload and returns at once, with [`Begun`](ReloadOutcome::Begun) in the report.
    ///
    /// ```
    /// # use dms::prelude::*;
    /// #[module(name = "greeter", flags(HOT_RELOADABLE))]
    /// struct Greeter { greeting: String }
    ///
    /// #[module]
    /// impl Greeter {
    ///     #[handler(Greet)]
    ///     fn greet(&self) -> String { self.greeting.clone() }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new();
    /// let greeter = system.register_module(Greeter { greeting: "hello".to_owned() }).await?;
    /// assert_eq!(greeter.greet().await?, "hello");
    /// let report = greeter.reload(Greeter { greeting: "welcome".to_owned() }).await?;
    /// assert_eq!(report.incarnation, 2);
    /// assert_eq!(greeter.greet().await?, "welcome");
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The module cannot be reloaded, or it goes on as it was, for the reason that the error says.
    ///
    /// # Cancel safety
    /// Once polled the reload goes on, whether or not this is awaited to its end.
    pub fn reload(&self, new: T) -> Reload<T> {
        Reload::new(Ok(self.clone()), Make::Value(new))
    }

    /// As [`reload`](Self::reload), with a module of any type that handles the same messages: this one's, or one with `#[module(replaces = …)]`. It is built again
    /// with `make` where it is started again after a failure.
    ///
    /// The reference in the report is one to the new type; those to the old type reach it too.
    pub fn reload_with<N: Module<Message = T::Message>>(
        &self,
        make: impl Fn(ModuleRef<N>) -> N + Send + 'static,
    ) -> Reload<N>
    where
        T::Message: MessageSet<N>,
    {
        let cell: Arc<dyn Any + Send + Sync> = Arc::clone(&self.cell) as _;
        let target = cell.downcast::<Cell<Owner<N>>>().map(|cell| ModuleRef { cell });
        let wrong = |_| ReloadError::WrongType {
            module: self.name(),
            expected: const { N::INFO }.type_name,
            found: const { T::INFO }.type_name,
        };
        Reload::new(target.map_err(wrong), Make::With(Box::new(make)))
    }
}

/// A reload to come: await it, or set something first.
#[must_use = "nothing is reloaded until this is awaited"]
pub struct Reload<T: Module> {
    target: Result<ModuleRef<T>, ReloadError>,
    make: Make<T>,
    timeout: Duration,
    state: State,
}

impl<T: Module> Reload<T> {
    fn new(target: Result<ModuleRef<T>, ReloadError>, make: Make<T>) -> Self {
        Self { target, make, timeout: DEFAULT_TIMEOUT, state: State::default() }
    }

    /// A reload with what `make` builds, of a module that may not have been found.
    pub(crate) fn found(
        target: Result<ModuleRef<T>, ReloadError>,
        make: impl Fn(ModuleRef<T>) -> T + Send + 'static,
    ) -> Self {
        Self::new(target, Make::With(Box::new(make)))
    }

    /// Gives the new one this long until it runs, the wait for the running handler of the old one included. Then it is given up, and the old one goes on. The default is 30 seconds.
    ///
    /// The one that goes, whichever it is, has as long again, for its tasks, its children and its `stop` hook. What has not ended by then is not waited for: children are cut off, as by
    /// [`kill`](ModuleRef::kill).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Gives the new one this state, instead of the old one's. It needs a `#[restore]`; without one the reload fails with
    /// [`ReloadError::NoRestore`] before anything of it runs.
    #[cfg(feature = "snapshot")]
    pub fn from_snapshot(mut self, snapshot: Snapshot) -> Self {
        self.state.snapshot = Some(Box::new(snapshot));
        self
    }

    async fn carry_out(self) -> Result<ReloadReport<T>, ReloadError> {
        let Self { target, make, timeout, state } = self;
        let target = target?;
        let cell = Arc::clone(&target.cell);
        let core = &cell.core;
        if !core.takes_reloads() {
            return Err(if core.state().is_ended() {
                ReloadError::Stopped { module: core.name() }
            } else {
                ReloadError::NotReloadable { module: core.name() }
            });
        }
        #[cfg(feature = "snapshot")]
        if state.snapshot.is_some() && !T::RESTORES {
            return Err(ReloadError::NoRestore { module: core.name(), type_name: const { T::INFO }.type_name });
        }
        let limit = Limit { after: timeout, deadline: Instant::now().checked_add(timeout) };
        let successor = Box::new(Newcomer::new(make));
        let (answer, told) = Answer::new(core, successor.version());
        let (old, new) = (answer.old, answer.new);
        let expiry = Expiry::new(&cell, limit);
        let order = Order { successor: successor as Box<dyn Successor<_>>, given: state, limit, answer, expiry };
        let itself = [Arc::clone(&cell) as Arc<dyn AnyCell>];
        let (waits, edges) = stop::wait_for(&itself);
        place(&cell, order)?;
        if !waits {
            let (incarnation, outcome) = (core.incarnation(), ReloadOutcome::Begun);
            let (migrated, pause) = (false, Duration::ZERO);
            return Ok(ReloadReport { module: target, old, new, incarnation, migrated, pause, outcome });
        }
        let done = told.await.unwrap_or_else(|_| Err(ReloadError::Stopped { module: core.name() }))?;
        drop(edges);
        let Done { old, new, incarnation, migrated, pause } = done;
        let outcome = ReloadOutcome::Reloaded;
        Ok(ReloadReport { module: target, old, new, incarnation, migrated, pause, outcome })
    }
}

impl<T: Module> IntoFuture for Reload<T> {
    type Output = Result<ReloadReport<T>, ReloadError>;
    type IntoFuture = ReloadFuture<T>;

    fn into_future(self) -> ReloadFuture<T> {
        ReloadFuture { reload: Some(Box::pin(self.carry_out())), of: PhantomData }
    }
}

/// A reload under way.
///
/// # Cancel safety
/// Once polled the reload goes on, whether or not this is awaited to its end.
///
/// # Panics
/// When it is polled again after it was ready.
#[must_use = "futures do nothing unless polled"]
pub struct ReloadFuture<T: Module> {
    /// `None` once it was ready.
    reload: Option<Reloading<T>>,
    of: PhantomData<fn() -> T>,
}

type Reloading<T> = Pin<Box<dyn Future<Output = Result<ReloadReport<T>, ReloadError>> + Send>>;

impl<T: Module> Future for ReloadFuture<T> {
    type Output = Result<ReloadReport<T>, ReloadError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let Some(reload) = &mut self.reload else { polled_again("ReloadFuture") };
        let output = ready!(reload.as_mut().poll(cx));
        self.reload = None;
        Poll::Ready(output)
    }
}

impl<T: Module> fmt::Debug for Reload<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reload").field("target", &self.target).field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl<T: Module> fmt::Debug for ReloadFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReloadFuture").finish_non_exhaustive()
    }
}
