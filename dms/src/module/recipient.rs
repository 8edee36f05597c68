//! A reference by the one message that matters.

use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;

use super::cell::AnyCell;
use super::error::SendError;
use super::handler::Answers;
use super::lifecycle::ModuleId;
#[cfg(all(feature = "process", unix))]
use super::lifecycle::ModuleState;
use super::mailbox::Refusal;
use super::module_ref::ModuleRef;

/// A reference to some module that handles `M`, without its type.
///
/// ```
/// # use dms::prelude::*;
/// # #[module] struct Log;
/// # #[module] impl Log { #[handler(Line)] fn line(&mut self, text: String) { let _ = text; } }
/// # async fn example(log: ModuleRef<Log>) -> Result<(), Box<dyn std::error::Error>> {
/// let lines: Recipient<Line> = log.recipient();
/// lines.send(Line { text: "hello".to_owned() }).await?;
/// # Ok(()) }
/// ```
pub struct Recipient<M> {
    target: Arc<dyn Receives<M>>,
}

/// A module that takes `M`, of any type.
trait Receives<M>: Send + Sync {
    fn cell(&self) -> &dyn AnyCell;
    fn try_send(self: Arc<Self>, message: M) -> Result<(), SendError<M>>;
    fn send(self: Arc<Self>, message: M) -> Sent<M>;
}

/// Only where the sender has to wait for room does the type-less future need a box.
enum Sent<M> {
    Over(Result<(), SendError<M>>),
    Waits(Sending<M>),
}

type Sending<M> = Pin<Box<dyn Future<Output = Result<(), SendError<M>>> + Send>>;

impl<T: Answers<M>, M: Send + 'static> Receives<M> for ModuleRef<T> {
    fn cell(&self) -> &dyn AnyCell {
        &*self.cell
    }

    fn try_send(self: Arc<Self>, message: M) -> Result<(), SendError<M>> {
        ModuleRef::try_send(&self, message)
    }

    fn send(self: Arc<Self>, message: M) -> Sent<M> {
        match self.push(message) {
            Ok(()) => Sent::Over(Ok(())),
            Err((message, Refusal::NoRoom)) => {
                Sent::Waits(Box::pin(async move { ModuleRef::send(&self, message).await }))
            }
            Err((message, refusal)) => Sent::Over(Err(self.refused(message, refusal))),
        }
    }
}

impl<M: Send + 'static> Recipient<M> {
    pub(crate) fn new<T: Answers<M>>(target: &ModuleRef<T>) -> Self {
        Self { target: Arc::new(target.clone()) }
    }

    /// Sends a message, as [`ModuleRef::send`] does.
    ///
    /// # Errors
    /// As [`ModuleRef::send`].
    ///
    /// # Cancel safety
    /// As [`ModuleRef::send`].
    pub async fn send(&self, message: M) -> Result<(), SendError<M>> {
        match Arc::clone(&self.target).send(message) {
            Sent::Over(result) => result,
            Sent::Waits(sending) => sending.await,
        }
    }

    /// Sends a message without waiting, as [`ModuleRef::try_send`] does.
    ///
    /// # Errors
    /// As [`ModuleRef::try_send`].
    pub fn try_send(&self, message: M) -> Result<(), SendError<M>> {
        Arc::clone(&self.target).try_send(message)
    }

    /// The module's id.
    #[must_use]
    pub fn id(&self) -> ModuleId {
        self.target.cell().core().id
    }

    /// Ready once the module has ended.
    #[cfg(all(feature = "process", unix))]
    pub(crate) async fn ended(&self) {
        self.target.cell().core().wait_until(ModuleState::is_ended).await;
    }

    /// The module's name.
    #[must_use]
    pub fn name(&self) -> String {
        self.target.cell().core().name()
    }
}

impl<T: Answers<M>, M: Send + 'static> From<ModuleRef<T>> for Recipient<M> {
    fn from(target: ModuleRef<T>) -> Self {
        Self { target: Arc::new(target) }
    }
}

impl<M> Clone for Recipient<M> {
    fn clone(&self) -> Self {
        Self { target: Arc::clone(&self.target) }
    }
}

/// Recipients are equal that name the same module.
impl<M: Send + 'static> PartialEq for Recipient<M> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.target.cell().core(), other.target.cell().core())
    }
}

impl<M: Send + 'static> Eq for Recipient<M> {}

impl<M: Send + 'static> Hash for Recipient<M> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl<M: Send + 'static> fmt::Debug for Recipient<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.name())
    }
}
