//! What a module is made of: the traits that `#[module]` and `#[handler]` implement.

use std::future::{self, Future};

use super::context::Context;
use super::error::ModuleError;
use super::health_check::HealthCheck;
use super::inbox::Inbox;
use super::info::Describe;
use super::message_set::{Accepts, MessageSet};
#[cfg(feature = "wire")]
use super::remote::{OnRequest, Remote};
#[cfg(feature = "snapshot")]
use super::snapshot::{Snapshot, SnapshotError};
use super::subscription::EventHandler;
use super::tick::Tick;

/// A struct that owns its state, runs in a task of its own and is reached by messages only.
///
/// `#[module]` on the impl writes it. By hand, with [`DynMessage`](crate::DynMessage), messages are an open set:
///
/// ```
/// use dms::prelude::*;
///
/// #[module]
/// struct PingPong { hits: u64 }
///
/// impl Module for PingPong {
///     type Message = DynMessage<Self>;
/// }
///
/// struct Ball;
/// impl Handler<Ball> for PingPong {
///     type Reply = u64;
///     async fn handle(&mut self, _: Ball, _: &mut Context<Self>) -> u64 {
///         self.hits += 1;
///         self.hits
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// let module = system.register_module(PingPong { hits: 0 }).await?;
/// assert_eq!(module.ask(Ball).await?, 1);
/// # system.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a module: `#[module]` is missing on its impl",
    label = "no `#[module] impl {Self}`",
    note = "write `#[module]` above `impl {Self}` too: the struct says what the module is, the impl what it does"
)]
pub trait Module: Describe + Sized + Send + 'static {
    /// The closed enum of messages that the macro writes, or [`DynMessage`](crate::DynMessage).
    type Message: MessageSet<Self>;

    /// The module's periodic messages, requested when it runs.
    #[doc(hidden)]
    const TICKS: &'static [Tick<Self>] = &[];

    /// The module's event handlers, subscribed before it is initialised.
    #[doc(hidden)]
    const EVENTS: &'static [&'static dyn EventHandler<Self>] = &[];

    /// Whether there is an `init` or a `start` that a registration waits for.
    #[doc(hidden)]
    const STARTS: bool = true;

    /// Whether there is a `stop`.
    #[doc(hidden)]
    const STOPS: bool = true;

    /// Whether there are handlers that an asker may run itself.
    #[doc(hidden)]
    const INLINE: bool = false;

    /// The module's health check.
    #[doc(hidden)]
    const HEALTH: Option<HealthCheck<Self>> = None;

    /// The handlers that are reached by name.
    #[cfg(feature = "wire")]
    #[doc(hidden)]
    const REMOTE: &'static [Remote<Self>] = &[];

    /// What takes the requests that no handler has the name of.
    #[cfg(feature = "wire")]
    #[doc(hidden)]
    const ON_REQUEST: Option<OnRequest<Self>> = None;

    /// Whether there is a `restore`.
    #[cfg(feature = "snapshot")]
    #[doc(hidden)]
    const RESTORES: bool = false;

    /// The module's state as bytes; `None` where there is no `snapshot`.
    #[cfg(feature = "snapshot")]
    #[doc(hidden)]
    fn take_snapshot(&self, ctx: &Context<Self>) -> Option<Result<Snapshot, SnapshotError>> {
        let _ = ctx;
        None
    }

    /// Makes the state of a snapshot the module's, after `init` and before `start`.
    #[cfg(feature = "snapshot")]
    #[doc(hidden)]
    fn restore_snapshot(
        &mut self,
        snapshot: Snapshot,
        ctx: &mut Context<Self>,
    ) -> impl Future<Output = Result<(), ModuleError>> + Send {
        let _ = (snapshot, ctx);
        future::ready(Ok(()))
    }

    /// Takes what the module needs. Runs first; messages wait. Its error fails the registration.
    fn init(&mut self, ctx: &mut Context<Self>) -> impl Future<Output = Result<(), ModuleError>> + Send {
        let _ = ctx;
        future::ready(Ok(()))
    }

    /// Begins the module's work, once what it depends on has been initialised. Its error fails the registration.
    fn start(&mut self, ctx: &mut Context<Self>) -> impl Future<Output = Result<(), ModuleError>> + Send {
        let _ = ctx;
        future::ready(Ok(()))
    }

    /// The module's loop: handles message after message, unless it is overridden with `#[run]`.
    ///
    /// When it returns, the module stops; its error fails the module. A loop of its own should return when [`Inbox::recv`] gives `None`. What it asks is not
    /// attributed to the module, for it may wait for an answer and its inbox at once: a deadlock through it ends at the deadline.
    fn run(
        &mut self,
        inbox: &mut Inbox<Self>,
        ctx: &mut Context<Self>,
    ) -> impl Future<Output = Result<(), ModuleError>> + Send {
        inbox.serve(self, ctx)
    }

    /// Releases what the module took. Runs last, if `init` was successful and no handler panicked.
    fn stop(&mut self, ctx: &mut Context<Self>) -> impl Future<Output = Result<(), ModuleError>> + Send {
        let _ = ctx;
        future::ready(Ok(()))
    }
}

/// A module that answers the message `M`: all that [`send`](crate::ModuleRef::send) and [`ask`](crate::ModuleRef::ask) need.
///
/// Every [`Handler<M>`] answers `M`. A handler that takes a [`ReplyTo`](crate::ReplyTo) answers without being a [`Handler`], since its reply is not what
/// it returns.
#[diagnostic::on_unimplemented(
    message = "module `{Self}` has no handler for `{M}`",
    label = "`{Self}` does not handle this message",
    note = "write `#[handler] async fn name(&mut self, message: {M}) {{ … }}` in the `#[module] impl {Self}`"
)]
pub trait Answers<M>: Module<Message: Accepts<M, Self>> {
    /// What an ask gives.
    type Reply: Send + 'static;
}

impl<M, T: Handler<M>> Answers<M> for T {
    type Reply = <T as Handler<M>>::Reply;
}

/// A module that handles the message `M` and returns the reply.
#[diagnostic::on_unimplemented(
    message = "module `{Self}` has no handler for `{M}`",
    label = "`{Self}` does not handle this message",
    note = "write `#[handler] async fn name(&mut self, message: {M}) {{ … }}` in the `#[module] impl {Self}`"
)]
pub trait Handler<M>: Module<Message: Accepts<M, Self>> {
    /// What the handler returns, and an ask gives.
    type Reply: Send + 'static;

    /// Handles one message.
    fn handle(&mut self, message: M, ctx: &mut Context<Self>) -> impl Future<Output = Self::Reply> + Send;
}
