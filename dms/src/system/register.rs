//! Bringing a module to life.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::error::RegisterError;
use super::registry::{Settings, Shared};
use super::system::SystemRef;
use crate::Overflow;
use crate::module::cell::{AnyCell, control};
use crate::module::current;
use crate::module::deadlock::{EdgeGuard, On};
use crate::module::worker::{self, NotStarted, Started};
use crate::module::{Module, ModuleId, ModuleInfo, ModuleRef, ModuleState};

/// A registration to come: await it, or set something first.
///
/// ```
/// # use dms::prelude::*;
/// # #[module] #[derive(Default)] struct Counter;
/// # #[module] impl Counter {}
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// let counter = system.register_module(Counter::default()).name("visits").mailbox(64).await?;
/// assert_eq!(counter.name(), "visits");
/// # system.shutdown().await;
/// # Ok(()) }
/// ```
#[must_use = "nothing is registered until this is awaited"]
pub struct Register<T: Module> {
    /// `None` where the system is gone.
    system: Option<Arc<Shared>>,
    make: Make<T>,
    settings: Settings,
}

/// How the module comes about.
pub(super) enum Make<T: Module> {
    Value(T),
    With(Box<dyn Fn(ModuleRef<T>) -> T + Send>),
}

impl<T: Module> Register<T> {
    pub(super) fn new(system: &SystemRef, make: Make<T>, parent: Option<ModuleId>) -> Self {
        Self { system: system.shared(), make, settings: Settings { parent, ..Settings::default() } }
    }

    /// Gives this module a name of its own; one module of a system may have it at a time.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// Bounds this module's mailbox to `capacity` waiting messages; 0 is taken as 1.
    pub fn mailbox(mut self, capacity: usize) -> Self {
        self.settings.mailbox = Some(capacity.max(1));
        self
    }

    /// Says what happens to a message that finds the bounded mailbox full.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.settings.overflow = Some(overflow);
        self
    }
}

impl<T: Module> IntoFuture for Register<T> {
    type Output = Result<ModuleRef<T>, RegisterError>;
    type IntoFuture = RegisterFuture<T>;

    fn into_future(self) -> RegisterFuture<T> {
        RegisterFuture { stage: Stage::New(self) }
    }
}

/// A registration under way: ready when `init` and `start` have run.
///
/// # Cancel safety
/// Dropping it before it is ready takes the registration back: the module is stopped.
#[must_use = "futures do nothing unless polled"]
pub struct RegisterFuture<T: Module> {
    stage: Stage<T>,
}

enum Stage<T: Module> {
    New(Register<T>),
    Starting(Starting<T>),
    Done,
}

/// How far a registration comes at once.
enum Begun<T: Module> {
    /// There is nothing to wait for.
    Running(ModuleRef<T>),
    Starting(Starting<T>),
}

struct Starting<T: Module> {
    module: Option<ModuleRef<T>>,
    started: oneshot::Receiver<Result<(), NotStarted>>,
    /// The module whose handler registers waits for the new one.
    _edge: Option<EdgeGuard>,
}

/// The parts are never pinned.
impl<T: Module> Unpin for RegisterFuture<T> {}

impl<T: Module> Future for RegisterFuture<T> {
    type Output = Result<ModuleRef<T>, RegisterError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        if matches!(self.stage, Stage::New(_))
            && let Stage::New(register) = std::mem::replace(&mut self.stage, Stage::Done)
        {
            match begin(register)? {
                Begun::Running(module) => return Poll::Ready(Ok(module)),
                Begun::Starting(starting) => self.stage = Stage::Starting(starting),
            }
        }
        let Stage::Starting(starting) = &mut self.stage else { return Poll::Pending };
        let started = ready!(Pin::new(&mut starting.started).poll(cx));
        let Some(module) = starting.module.take() else { return Poll::Pending };
        self.stage = Stage::Done;
        let name = || module.name();
        Poll::Ready(match started {
            Ok(Ok(())) => Ok(module),
            Ok(Err(NotStarted::Hook(hook, error))) => {
                Err(RegisterError::Hook { module: name(), hook, source: error.into_inner() })
            }
            Ok(Err(NotStarted::Panicked(place, text))) => Err(RegisterError::Panicked { module: name(), place, text }),
            Ok(Err(NotStarted::Stopped)) | Err(_) => Err(RegisterError::ShuttingDown { module: name() }),
        })
    }
}

impl<T: Module> Drop for Starting<T> {
    fn drop(&mut self) {
        if let Some(module) = &self.module {
            module.cell.quiesce(control::STOP);
        }
    }
}

fn begin<T: Module>(register: Register<T>) -> Result<Begun<T>, RegisterError> {
    let Register { system, make, settings } = register;
    let own = match &make {
        Make::Value(value) => own_info(value).map_err(|text| {
            let module = settings.name.clone().unwrap_or_else(|| const { T::INFO }.name.to_owned());
            RegisterError::Panicked { module, place: "info", text }
        })?,
        Make::With(_) => None,
    };
    let name = own.as_ref().map_or(const { T::INFO }.name, |own| own.name);
    let nameless = || settings.name.clone().unwrap_or_else(|| name.to_owned());
    let Some(shared) = system else { return Err(RegisterError::ShuttingDown { module: nameless() }) };
    let Some(runtime) = shared.environment.runtime() else {
        return Err(RegisterError::NoRuntime { module: nameless() });
    };
    // Whose value is there and who has nothing to start with runs from the beginning.
    let begins_running = !T::STARTS && matches!(make, Make::Value(_));
    let state = if begins_running { ModuleState::Running } else { ModuleState::Created };
    let target = shared.insert::<T>(&settings, own, state)?;
    let value = match make {
        Make::Value(value) => value,
        Make::With(make) => {
            let self_ref = target.clone();
            match make_one(|| make(self_ref), &target) {
                Ok(value) => value,
                Err(error) => {
                    worker::abandon(&target.cell);
                    return Err(error);
                }
            }
        }
    };
    let core = &target.cell.core;
    if !T::STARTS && !core.is_ending() {
        if !begins_running {
            core.set_state(ModuleState::Running);
        }
        spawn(runtime, &target, value, None);
        if core.state().is_ended() {
            // The runtime is going down, and took the task no more.
            return Err(RegisterError::ShuttingDown { module: core.name() });
        }
        return Ok(Begun::Running(target));
    }
    let edge = current::waiting()
        .and_then(|parent| EdgeGuard::new(parent, Arc::clone(&target.cell) as Arc<dyn AnyCell>, On::Running).ok());
    let (sender, started) = oneshot::channel();
    spawn(runtime, &target, value, Some(sender));
    Ok(Begun::Starting(Starting { module: Some(target), started, _edge: edge }))
}

/// Builds the value of a module that is registered already.
fn make_one<T: Module>(make: impl FnOnce() -> T, target: &ModuleRef<T>) -> Result<T, RegisterError> {
    let panicked = |place, text| RegisterError::Panicked { module: target.name(), place, text };
    let value = contained(make).map_err(|text| panicked("new", text))?;
    match own_info(&value) {
        Ok(None) => Ok(value),
        Ok(Some(own)) => Err(RegisterError::BuiltTooLate { module: own.name.to_owned() }),
        Err(text) => Err(panicked("info", text)),
    }
}

/// What the value says of itself, where that is not what its type says; or what its panic said.
fn own_info<T: Module>(value: &T) -> Result<Option<Box<ModuleInfo>>, String> {
    contained(|| value.instance_info().map(Box::new))
}

fn contained<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    panic::catch_unwind(AssertUnwindSafe(run)).map_err(|panic| worker::panic_text(&*panic))
}

fn spawn<T: Module>(runtime: &Handle, target: &ModuleRef<T>, value: T, started: Option<Started>) {
    let cell = Arc::clone(&target.cell);
    let worker = if T::INLINE {
        runtime.spawn(worker::inline_life(cell, value, started))
    } else {
        runtime.spawn(worker::life(cell, value, started))
    };
    // The worker may have ended before its handle is here; that does no harm.
    target.cell.core.end.lock().worker = Some(worker);
}

impl<T: Module> fmt::Debug for Register<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Register").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<T: Module> fmt::Debug for RegisterFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterFuture").finish_non_exhaustive()
    }
}
