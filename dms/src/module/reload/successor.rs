//! The module that is to take another one's place: built and brought up beside it, of a type that the other one need not know.

use std::any::Any;
use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::sync::Arc;

use super::error::ReloadError;
use crate::module::cell::Cell;
use crate::module::context::Context;
use crate::module::error::ModuleError;
use crate::module::handler::Module;
use crate::module::inbox::Hand;
use crate::module::info::{ModuleInfo, Version};
use crate::module::message_set::Owner;
use crate::module::module_ref::ModuleRef;
#[cfg(feature = "snapshot")]
use crate::module::snapshot::Snapshot;
use crate::module::supervised::{Build, Supervisor, live_again};
use crate::module::task::Panic;
use crate::module::worker::{contain, panic_text};
use crate::recovery::Supervision;

/// The life that follows on another one in the same slot.
pub(in crate::module) struct Next(pub(in crate::module) Pin<Box<dyn Future<Output = Option<Next>> + Send>>);

/// All that outlives a type of module in its place, besides the cell.
pub(super) struct Slot<O: Module> {
    pub(super) cell: Arc<Cell<O>>,
    /// What the worker has taken out of the mailbox.
    pub(super) hand: Hand<O>,
    /// Of its restarts, which go on to count.
    pub(super) supervision: Supervision,
    /// What built the one before again: an `Option<Build<T>>`.
    pub(super) build: Box<dyn Any + Send>,
}

/// The state that travels from one to the other.
#[derive(Default)]
pub(super) struct State {
    #[cfg(feature = "snapshot")]
    pub(super) snapshot: Option<Box<Snapshot>>,
}

/// A module to come, in a place whose messages belong to `O`.
pub(super) trait Successor<O: Module>: Send {
    /// What it says of itself.
    fn version(&self) -> Version;

    /// What its type says of itself.
    fn info(&self) -> &'static ModuleInfo;

    /// Whether it wants the state of the one before.
    fn restores(&self) -> bool;

    /// Whether it could be built again, where what built the one before is `build`.
    fn can_restart(&self, build: &dyn Any) -> bool;

    /// Builds it and runs its hooks; whether it has restored the state.
    fn bring_up<'a>(
        &'a mut self,
        cell: &'a Arc<Cell<O>>,
        state: State,
    ) -> Pin<Box<dyn Future<Output = Result<bool, ReloadError>> + Send + 'a>>;

    /// The hook that runs, or did last.
    fn place(&self) -> &'static str;

    /// Cancels its tasks, and waits until they are gone.
    fn join_tasks(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Takes the place.
    fn take_over(self: Box<Self>, slot: Slot<O>) -> Option<Next>;
}

/// What the new module is made of.
pub(super) enum Make<T: Module> {
    Value(T),
    With(Build<T>),
}

/// A new module of a known type.
pub(super) struct Newcomer<T: Module> {
    /// `None` once it has been built.
    value: Option<T>,
    module: Option<T>,
    /// Builds it, and again after a failure.
    build: Option<Build<T>>,
    /// `None` before it has been built.
    ctx: Option<Context<T>>,
    version: Version,
}

impl<T: Module> Newcomer<T> {
    pub(super) fn new(make: Make<T>) -> Self {
        let (value, build) = match make {
            Make::Value(value) => (Some(value), None),
            Make::With(build) => (None, Some(build)),
        };
        Self { value, module: None, build, ctx: None, version: const { T::INFO }.version }
    }

    /// Builds the value.
    fn build(&mut self, target: ModuleRef<T>) -> Result<T, Panic> {
        let built = || {
            let module = match (self.value.take(), &self.build) {
                (Some(value), _) => Some(value),
                (None, Some(build)) => Some(build(target)),
                (None, None) => None,
            };
            let own = module.as_ref().and_then(T::instance_info);
            module.map(|module| (module, own))
        };
        let Some((module, own)) = panic::catch_unwind(AssertUnwindSafe(built))? else {
            unreachable!("a successor is brought up once")
        };
        if let Some(own) = own {
            self.version = own.version;
        }
        Ok(module)
    }
}

impl<T: Module> Successor<Owner<T>> for Newcomer<T> {
    fn version(&self) -> Version {
        self.version
    }

    fn info(&self) -> &'static ModuleInfo {
        const { &T::INFO }
    }

    fn restores(&self) -> bool {
        #[cfg(feature = "snapshot")]
        return T::RESTORES;
        #[cfg(not(feature = "snapshot"))]
        false
    }

    fn can_restart(&self, build: &dyn Any) -> bool {
        self.build.is_some() || build.downcast_ref::<Option<Build<T>>>().is_some_and(Option::is_some)
    }

    fn bring_up<'a>(
        &'a mut self,
        cell: &'a Arc<Cell<Owner<T>>>,
        state: State,
    ) -> Pin<Box<dyn Future<Output = Result<bool, ReloadError>> + Send + 'a>> {
        Box::pin(async move {
            let name = || cell.core.name();
            let built = self.build(ModuleRef { cell: Arc::clone(cell) });
            let module = built.map_err(|panic| panicked(name(), "new", &panic))?;
            let module = self.module.insert(module);
            let ctx = self.ctx.insert(Context::new(Arc::clone(cell)));
            let init = contain(pin!(module.init(ctx))).await;
            check(name, "init", init)?;
            let migrated = restore(module, ctx, state).await?;
            ctx.handler = "start";
            let start = contain(pin!(module.start(ctx))).await;
            check(name, "start", start)?;
            Ok(migrated)
        })
    }

    fn place(&self) -> &'static str {
        self.ctx.as_ref().map_or("new", |ctx| ctx.handler)
    }

    fn join_tasks(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            if let Some(ctx) = &mut self.ctx {
                ctx.join_tasks().await;
            }
        })
    }

    fn take_over(self: Box<Self>, slot: Slot<Owner<T>>) -> Option<Next> {
        let Self { module, ctx, build, .. } = *self;
        let Slot { cell, hand, supervision, build: before } = slot;
        let build = build.or_else(|| before.downcast::<Option<Build<T>>>().ok().and_then(|before| *before));
        Some(live_again(cell, hand, module?, ctx?, Supervisor::new(supervision, build)))
    }
}

/// Gives the new module the state, where there is one and it wants it.
#[cfg(feature = "snapshot")]
async fn restore<T: Module>(module: &mut T, ctx: &mut Context<T>, state: State) -> Result<bool, ReloadError> {
    let Some(snapshot) = state.snapshot.filter(|_| T::RESTORES) else { return Ok(false) };
    ctx.handler = "restore";
    let name = ctx.name();
    let restored = contain(pin!(module.restore_snapshot(*snapshot, ctx))).await;
    check(|| name, "restore", restored).map(|()| true)
}

/// Without the feature there is none.
#[cfg(not(feature = "snapshot"))]
#[allow(clippy::unused_async, reason = "with the feature it waits for a hook")]
async fn restore<T: Module>(_: &mut T, _: &mut Context<T>, _: State) -> Result<bool, ReloadError> {
    Ok(false)
}

fn check(
    module: impl FnOnce() -> String,
    hook: &'static str,
    result: Result<Result<(), ModuleError>, Panic>,
) -> Result<(), ReloadError> {
    match result {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(ReloadError::Hook { module: module(), hook, text: error.chain() }),
        Err(panic) => Err(panicked(module(), hook, &panic)),
    }
}

pub(super) fn panicked(module: String, place: &'static str, panic: &Panic) -> ReloadError {
    ReloadError::Panicked { module, place, text: panic_text(&**panic) }
}
