//! The messages of a module as one type: the enum that the macro writes, or an open set of boxed ones.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::context::Context;
use super::handler::{Answers, Handler, Module};
use super::reply::ReplyTo;

/// All messages of the module `T`: what its mailbox holds.
pub trait MessageSet<T>: Sized + Send + 'static {
    /// The module for which the messages were made: `T`, or the one whose place `T` can take, since it handles the same messages. References, contexts and
    /// mailboxes are made for it.
    type Owner: Module<Message = Self>;

    /// The name of the handler that this message goes to.
    fn name(&self) -> &'static str;

    /// The name of the message's type, without path and parameters; that of the handler where nothing was sent, as with a tick.
    fn message_name(&self) -> &'static str {
        self.name()
    }

    /// Hands the message to its handler, and the answer to the asker.
    fn dispatch(self, module: &mut T, ctx: &mut Context<T>) -> impl Future<Output = ()> + Send
    where
        T: Module;
}

/// The module for which the messages of `T` were made: nearly always `T` itself.
pub(crate) type Owner<T> = <<T as Module>::Message as MessageSet<T>>::Owner;

/// A set of messages that `M` belongs to: one variant of the enum.
pub trait Accepts<M, T: Answers<M>>: Sized {
    /// The handler's name.
    fn handler() -> &'static str;

    /// Makes the variant.
    fn pack(message: M, reply: ReplyTo<T::Reply>) -> Self;

    /// Takes the message back out, unless this is another variant.
    fn unpack(self) -> Option<M>;

    /// Whether an asker may run the handler itself.
    #[doc(hidden)]
    const INLINE: bool = false;

    /// Runs the handler, which does not wait; `None` where it is not for askers to run.
    #[doc(hidden)]
    fn answer(message: M, module: &mut T, ctx: &mut Context<T>) -> Option<T::Reply> {
        let _ = (message, module, ctx);
        None
    }
}

/// An open set of messages, for handlers written by hand: each message is boxed, and so is the future that handles it.
pub struct DynMessage<T>(Box<dyn Boxed<T>>);

trait Boxed<T>: Send {
    fn name(&self) -> &'static str;

    fn dispatch<'a>(self: Box<Self>, module: &'a mut T, ctx: &'a mut Context<T>) -> BoxFuture<'a>
    where
        T: Module;

    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any>;
}

type BoxFuture<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A message on its way; `M: 'static` is what lets it be taken back out.
struct Parcel<M, R> {
    message: M,
    reply: ReplyTo<R>,
}

impl<M: Send + 'static, T: Handler<M>> Boxed<T> for Parcel<M, <T as Handler<M>>::Reply> {
    fn name(&self) -> &'static str {
        short_name::<M>()
    }

    fn dispatch<'a>(self: Box<Self>, module: &'a mut T, ctx: &'a mut Context<T>) -> BoxFuture<'a> {
        Box::pin(async move {
            let Self { message, reply } = *self;
            if super::dispatch::begin(&reply, short_name::<M>(), ctx) {
                reply.send(module.handle(message, ctx).await);
            }
        })
    }

    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any> {
        self
    }
}

impl<T: Module<Message = Self>> MessageSet<T> for DynMessage<T> {
    type Owner = T;

    fn name(&self) -> &'static str {
        self.0.name()
    }

    async fn dispatch(self, module: &mut T, ctx: &mut Context<T>) {
        self.0.dispatch(module, ctx).await;
    }
}

impl<M: Send + 'static, T: Handler<M>> Accepts<M, T> for DynMessage<T> {
    fn handler() -> &'static str {
        short_name::<M>()
    }

    fn pack(message: M, reply: ReplyTo<<T as Answers<M>>::Reply>) -> Self {
        Self(Box::new(Parcel { message, reply }))
    }

    fn unpack(self) -> Option<M> {
        let parcel = self.0.into_any().downcast::<Parcel<M, <T as Handler<M>>::Reply>>().ok()?;
        Some(parcel.message)
    }
}

impl<T: Module<Message = Self>> fmt::Debug for DynMessage<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DynMessage({})", self.name())
    }
}

/// A type's name without its path: no Rust module path is ever shown.
pub(super) fn short_name<M>() -> &'static str {
    let name = std::any::type_name::<M>();
    match name.as_bytes().first() {
        Some(b'(') => return "tuple",
        Some(b'[') => return "array",
        Some(b'&') => return "reference",
        _ => {}
    }
    let base = name.find('<').map_or(name, |generics| &name[..generics]);
    base.rfind("::").map_or(base, |path| &base[path + 2..])
}

/// A message as another module's enum holds it: as it is, or boxed.
pub trait Held<M> {
    #[doc(hidden)]
    fn hold(message: M) -> Self;

    #[doc(hidden)]
    fn take(self) -> M;
}

impl<M> Held<M> for M {
    fn hold(message: M) -> Self {
        message
    }

    fn take(self) -> M {
        self
    }
}

impl<M> Held<M> for Box<M> {
    fn hold(message: M) -> Self {
        Self::new(message)
    }

    fn take(self) -> M {
        *self
    }
}
