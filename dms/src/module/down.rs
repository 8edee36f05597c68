//! What others are told when an incarnation of a module has ended: [`Down`]; and who is told of one module alone: [`Watch`].

use std::fmt;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::cell::Core;
use super::lifecycle::{Failure, ModuleId, ModuleName};

/// An incarnation of a module has ended, and been dropped: it failed, or was stopped.
///
/// It is told once. A module that has an `#[event]` handler for it hears of all modules of its system; [`ModuleRef::watch`](crate::ModuleRef::watch) tells of one. A
/// module whose registration fails has no end.
///
/// ```
/// use dms::event::Down;
/// use dms::prelude::*;
///
/// #[module]
/// #[derive(Default)]
/// struct Undertaker { failed: Vec<String> }
///
/// #[module]
/// impl Undertaker {
///     #[event]
///     fn on_down(&mut self, down: &Down) {
///         if let Some(reason) = &down.reason {
///             self.failed.push(format!("{} {}: {reason}", down.module, down.incarnation));
///         }
///     }
///
///     #[handler(Failed)]
///     fn failed(&self) -> Vec<String> {
///         self.failed.clone()
///     }
/// }
///
/// #[module(name = "parser")]
/// struct Parser;
///
/// #[module]
/// impl Parser {
///     #[handler(Parse)]
///     fn parse(&mut self, text: String) -> u64 {
///         text.parse().expect("a number")
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// let undertaker = system.register_module(Undertaker::default()).await?;
/// let parser = system.register_module(Parser).await?;
/// assert!(parser.parse("one".to_owned()).await.is_err());
/// parser.stopped().await;
/// let failed = undertaker.failed().await?;
/// assert_eq!(failed, ["parser 1: panicked in `parse`: a number: ParseIntError { kind: InvalidDigit }"]);
/// # system.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Down {
    /// The module's name.
    pub module: ModuleName,
    /// The module's id.
    pub id: ModuleId,
    /// Which of its incarnations ended, from 1.
    pub incarnation: u32,
    /// What it failed of; `None` where it ended as asked, or its loop returned.
    pub reason: Option<Failure>,
    /// How long it waits until it is started again, zero where a [reload](crate::ModuleRef::reload) has put another one in its place; `None` where it has ended for good.
    pub restarts_in: Option<Duration>,
}

impl Down {
    /// The end of the running incarnation.
    pub(crate) fn new(core: &Core, reason: Option<Failure>, restarts_in: Option<Duration>) -> Self {
        Self { module: core.module_name(), id: core.id, incarnation: core.incarnation(), reason, restarts_in }
    }
}

/// The ends of one module's incarnations, to come: what [`ModuleRef::watch`](crate::ModuleRef::watch) gives.
///
/// It is a stream, too: a module gets what it tells as messages with [`Context::attach`](crate::Context::attach). What is not taken waits in it, without a bound.
///
/// ```
/// # use dms::prelude::*;
/// # #[module] struct Counter;
/// # #[module] impl Counter {}
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let system = System::new();
/// # let counter = system.register_module(Counter).await?;
/// let mut watch = counter.watch();
/// counter.stop().await?;
/// let down = watch.next().await.unwrap();
/// assert_eq!((down.incarnation, down.reason, down.restarts_in), (1, None, None));
/// assert_eq!(watch.next().await, None, "it has ended for good");
/// # system.shutdown().await;
/// # Ok(()) }
/// ```
pub struct Watch(UnboundedReceiver<Down>);

/// Where a [`Watch`] is told.
pub(crate) type DownWatcher = UnboundedSender<Down>;

impl Watch {
    pub(crate) fn new() -> (DownWatcher, Self) {
        let (sender, receiver) = unbounded_channel();
        (sender, Self(receiver))
    }

    /// Waits for the end of the next incarnation; `None` once the module has ended for good and that was told.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn next(&mut self) -> Option<Down> {
        self.0.recv().await
    }
}

impl Stream for Watch {
    type Item = Down;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Down>> {
        self.0.poll_recv(cx)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}
