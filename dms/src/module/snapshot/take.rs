//! Asking a module for a snapshot: a message like any other.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use super::error::TakeSnapshotError;
use super::hooks::Taken;
use super::snapshot::Snapshot;
use crate::module::ask::{Ask, AskFuture};
use crate::module::handler::{Answers, Module};
use crate::module::module_ref::ModuleRef;

/// The message by which a module is asked for its state, which [`ModuleRef::snapshot`] sends.
///
/// `#[snapshot]` handles it. A module without `#[module]` on its impl may have a [`Handler`](crate::Handler) for it, whose reply is a `Result<Snapshot, SnapshotError>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakeSnapshot;

/// A module that can be asked for its state: one that has a `#[snapshot]` method.
#[diagnostic::on_unimplemented(
    message = "module `{Self}` takes no snapshots: it has no `#[snapshot]` method",
    label = "no `#[snapshot]` in its impl",
    note = "write `#[snapshot] fn snapshot(&self) -> State {{ … }}` in the `#[module] impl {Self}`"
)]
pub trait Snapshots: Answers<TakeSnapshot, Reply = Taken> {}

#[diagnostic::do_not_recommend]
impl<T: Answers<TakeSnapshot, Reply = Taken>> Snapshots for T {}

impl<T: Module> ModuleRef<T> {
    /// Takes a snapshot of the module's state, as its `#[snapshot]` method gives it.
    ///
    /// It is an [`ask`](Self::ask): it waits its turn behind the messages that were there before, so what they did is in it, and what comes later is not; it counts against the bound of the
    /// mailbox, and has the deadline of an ask. The module's task makes the bytes, and does nothing else meanwhile. A method that panics fails the module, as a handler would.
    ///
    /// ```
    /// use dms::prelude::*;
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Serialize, Deserialize)]
    /// struct State { count: u64 }
    ///
    /// #[module(name = "visits", version = "1.1.0")]
    /// struct Counter { state: State }
    ///
    /// #[module]
    /// impl Counter {
    ///     #[handler(Add)]
    ///     fn add(&mut self, by: u64) -> u64 {
    ///         self.state.count += by;
    ///         self.state.count
    ///     }
    ///
    ///     #[snapshot]
    ///     fn snapshot(&self) -> &State { &self.state }
    ///
    ///     #[restore]
    ///     fn restore(&mut self, state: State, from: Version) {
    ///         println!("as version {from} left it");
    ///         self.state = state;
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("visits.snapshot");
    /// let system = System::new();
    /// let visits = system.register_module(Counter { state: State { count: 0 } }).await?;
    /// visits.add(41).await?;
    /// visits.snapshot().await?.save(&path).await?;
    /// system.shutdown().await;
    ///
    /// // Later, in another process:
    /// let system = System::new();
    /// let visits = Counter { state: State { count: 0 } };
    /// let visits = system.register_module(visits).restored_from(Snapshot::load(&path).await?).await?;
    /// assert_eq!(visits.add(1).await?, 42);
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    pub fn snapshot(&self) -> SnapshotAsk<'_, T>
    where
        T: Snapshots,
    {
        SnapshotAsk(self.ask(TakeSnapshot))
    }
}

/// A snapshot to be taken: await it, or set its deadline first.
#[must_use = "no snapshot is taken until it is awaited"]
pub struct SnapshotAsk<'a, T: Snapshots>(Ask<'a, T, TakeSnapshot>);

impl<T: Snapshots> SnapshotAsk<'_, T> {
    /// Gives up after `timeout`, as [`Ask::timeout`] does.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self(self.0.timeout(timeout))
    }

    /// Waits for as long as it takes, as [`Ask::no_timeout`] does.
    pub fn no_timeout(self) -> Self {
        Self(self.0.no_timeout())
    }
}

impl<'a, T: Snapshots> IntoFuture for SnapshotAsk<'a, T> {
    type Output = Result<Snapshot, TakeSnapshotError>;
    type IntoFuture = SnapshotFuture<'a, T>;

    fn into_future(self) -> SnapshotFuture<'a, T> {
        SnapshotFuture(self.0.into_future())
    }
}

/// A snapshot under way.
///
/// # Cancel safety
/// Dropping it gives it up: a snapshot that has not begun is not taken.
///
/// # Panics
/// When it is polled again after it was ready.
#[must_use = "futures do nothing unless polled"]
pub struct SnapshotFuture<'a, T: Snapshots>(AskFuture<'a, T, TakeSnapshot>);

impl<T: Snapshots> Future for SnapshotFuture<'_, T> {
    type Output = Result<Snapshot, TakeSnapshotError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let taken = ready!(Pin::new(&mut self.0).poll(cx))?;
        Poll::Ready(taken.map_err(TakeSnapshotError::NotTaken))
    }
}

impl<T: Snapshots> fmt::Debug for SnapshotAsk<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Snapshots> fmt::Debug for SnapshotFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
