//! A module that does what each message tells it.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;

use dms::{Context, Describe, DynMessage, Handler, Module, ModuleError, ModuleInfo, ModuleRef};

use crate::{Held, Log, hold};

/// A future of any type.
pub(crate) type BoxFuture<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;

/// What a handler or hook is to do.
pub type Act<R> = Box<dyn for<'a> FnOnce(&'a mut Context<Puppet>) -> BoxFuture<'a, R> + Send>;

type Hook = Option<Act<Result<(), ModuleError>>>;

/// A module that does what each message tells it.
#[derive(Default)]
pub struct Puppet {
    log: Log<u64>,
    init: Hook,
    start: Hook,
    stop: Hook,
    /// Dropped with the module, and not before.
    keeps: Vec<Box<dyn Any + Send>>,
}

impl Describe for Puppet {
    const INFO: ModuleInfo = ModuleInfo::new("Puppet");
}

impl Module for Puppet {
    type Message = DynMessage<Self>;

    async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        match self.init.take() {
            Some(hook) => hook(ctx).await,
            None => Ok(()),
        }
    }

    async fn start(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        match self.start.take() {
            Some(hook) => hook(ctx).await,
            None => Ok(()),
        }
    }

    async fn stop(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        match self.stop.take() {
            Some(hook) => hook(ctx).await,
            None => Ok(()),
        }
    }
}

/// A puppet that notes numbers in `log`.
#[must_use]
pub fn puppet(log: &Log<u64>) -> Puppet {
    Puppet { log: log.clone(), ..Puppet::default() }
}

impl Puppet {
    /// Does this in `init`.
    #[must_use]
    pub fn on_init<A>(mut self, act: A) -> Self
    where
        A: for<'a> FnOnce(&'a mut Context<Self>) -> BoxFuture<'a, Result<(), ModuleError>> + Send + 'static,
    {
        self.init = Some(Box::new(act));
        self
    }

    /// Does this in `start`.
    #[must_use]
    pub fn on_start<A>(mut self, act: A) -> Self
    where
        A: for<'a> FnOnce(&'a mut Context<Self>) -> BoxFuture<'a, Result<(), ModuleError>> + Send + 'static,
    {
        self.start = Some(Box::new(act));
        self
    }

    /// Does this in `stop`.
    #[must_use]
    pub fn on_stop<A>(mut self, act: A) -> Self
    where
        A: for<'a> FnOnce(&'a mut Context<Self>) -> BoxFuture<'a, Result<(), ModuleError>> + Send + 'static,
    {
        self.stop = Some(Box::new(act));
        self
    }

    /// Holds `value` until the module is dropped.
    #[must_use]
    pub fn keeping(mut self, value: impl Send + 'static) -> Self {
        self.keeps.push(Box::new(value));
        self
    }
}

/// Note this number in the puppet's log, and answer it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note(pub u64);

impl Handler<Note> for Puppet {
    type Reply = u64;

    async fn handle(&mut self, Note(number): Note, _: &mut Context<Self>) -> u64 {
        self.log.push(number);
        number
    }
}

/// Panic with this text.
#[derive(Debug, Clone)]
pub struct Boom(pub &'static str);

impl Handler<Boom> for Puppet {
    type Reply = ();

    async fn handle(&mut self, Boom(text): Boom, _: &mut Context<Self>) {
        std::panic::resume_unwind(Box::new(text));
    }
}

/// Do this, and answer what comes of it.
pub struct Do<R>(Act<R>);

impl<R: Send + 'static> Handler<Do<R>> for Puppet {
    type Reply = R;

    async fn handle(&mut self, Do(act): Do<R>, ctx: &mut Context<Self>) -> R {
        act(ctx).await
    }
}

/// The message by which a puppet awaits `future` in its handler.
pub fn act<F>(future: F) -> Do<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    Do(Box::new(move |_| Box::pin(future)))
}

/// As [`act`], with the puppet's context.
pub fn act_in<R, A>(act: A) -> Do<R>
where
    A: for<'a> FnOnce(&'a mut Context<Puppet>) -> BoxFuture<'a, R> + Send + 'static,
{
    Do(Box::new(act))
}

/// Holds `module` in a handler, which has begun when this returns.
///
/// # Panics
/// When the module does not run.
pub async fn held(module: &ModuleRef<Puppet>) -> Held {
    let (holding, mut held) = hold();
    module.try_send(act(holding)).expect("the module runs");
    held.begun().await;
    held
}
