//! A module around an object.

use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use super::context::Context as ObjectContext;
use super::object::ModuleTrait;
use super::request::Request as ObjectRequest;
use crate::message::{Request, Response};
use crate::module::blocking_pool::run_blocking;
use crate::module::cell::AnyCell;
use crate::module::worker::panic_text;
use crate::module::{Context, Describe, EventResponse, ModuleError, ModuleInfo};
use crate::recovery::HealthStatus;
use crate::system::Event;
use dms_macros::{event, handler, health, init, module, request, start, stop};

/// A module made of an object: `system.register_module(ModuleAdapter::new(MyModule))`.
///
/// It is a module as any other. What the object says in [`info`](ModuleTrait::info) counts for it: the name by which `system.find::<ModuleAdapter>(name)` and `system.request(name, …)` reach it, capabilities, flags,
/// dependencies, and the mailbox's bound. See [`ModuleTrait`] for when and where the object's hooks run.
///
/// The object is asked whether it is healthy every 10 s, as other modules are by [`#[health]`](macro@crate::health), and by whoever calls [`is_healthy`](ModuleAdapterRef::is_healthy) on a reference:
/// `adapter.is_healthy().await`.
///
/// The value must be there when it is registered, for it says what the module is: `register_with` refuses one with [`RegisterError::BuiltTooLate`](crate::RegisterError::BuiltTooLate). Objects of
/// one name can be members of a pool that has a name: `register_pool(…).name("workers")`.
pub struct ModuleAdapter {
    /// Away while one of its hooks runs, and for good where that was given up.
    object: Option<Box<dyn ModuleTrait>>,
}

impl ModuleAdapter {
    /// Makes a module of `object`, which may be a `Box<dyn ModuleTrait>`.
    #[must_use]
    pub fn new(object: impl ModuleTrait) -> Self {
        Self { object: Some(Box::new(object)) }
    }

    /// Runs code of the object's on the blocking pool. A panic goes on here, with the object back in its place.
    async fn run<R: Send + 'static>(
        &mut self,
        module: Arc<dyn AnyCell>,
        code: impl FnOnce(&mut dyn ModuleTrait) -> R + Send + 'static,
    ) -> Result<R, Gone> {
        let object = self.object.take().ok_or(Gone)?;
        let (object, result) = run_blocking(module, object, |object| code(&mut **object)).await.ok_or(Gone)?;
        self.object = Some(object);
        Ok(result.unwrap_or_else(|panic| panic::resume_unwind(panic)))
    }
}

/// The runtime took the object with it.
#[derive(Debug, thiserror::Error)]
#[error("the object of the module is gone: the runtime is shutting down")]
struct Gone;

#[diagnostic::do_not_recommend]
impl Describe for ModuleAdapter {
    const INFO: ModuleInfo = ModuleInfo::new("ModuleAdapter").description("A module made of an object.");

    fn instance_info(&self) -> Option<ModuleInfo> {
        let info = self.object.as_ref()?.info();
        Some(ModuleInfo { type_name: Self::INFO.type_name, ..info.named(info.name) })
    }
}

#[module]
impl ModuleAdapter {
    #[init]
    async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        let of_object = ObjectContext::snapshot(ctx)?;
        self.run(ctx.cell(), move |object| object.init(&of_object)).await?
    }

    #[start]
    async fn start(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        self.run(ctx.cell(), ModuleTrait::start).await?
    }

    #[stop]
    async fn stop(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        self.run(ctx.cell(), ModuleTrait::stop).await?
    }

    #[event]
    async fn handle_event(&mut self, event: &Event, ctx: &mut Context<Self>) -> Result<EventResponse, ModuleError> {
        let event = event.clone();
        Ok(self.run(ctx.cell(), move |object| object.handle_event(&event)).await?)
    }

    #[request]
    async fn handle_request(&mut self, request: Request, ctx: &mut Context<Self>) -> Result<Response, ModuleError> {
        let Request { source, request_type, payload, .. } = request;
        let answer = move |object: &mut dyn ModuleTrait| {
            object.handle_request(&ObjectRequest { source: &source, request_type, payload })
        };
        self.run(ctx.cell(), answer).await?
    }

    // A hook of the object's takes as long as it takes, and so does this one: only what the object says counts.
    #[health(timeout = "365d")]
    async fn health(&mut self, ctx: &mut Context<Self>) -> Result<HealthStatus, ModuleError> {
        let is_healthy = self.run(ctx.cell(), |object| object.is_healthy()).await?;
        let ill = || HealthStatus::Unhealthy("`is_healthy` says `false`".to_owned());
        Ok(if is_healthy { HealthStatus::Healthy } else { ill() })
    }

    /// Asks the object whether it can do its work. Where it panics it cannot.
    #[handler(IsHealthy)]
    async fn is_healthy(&mut self, ctx: &mut Context<Self>) -> bool {
        let contained = |object: &mut dyn ModuleTrait| {
            panic::catch_unwind(AssertUnwindSafe(|| object.is_healthy())).unwrap_or_else(|panic| {
                tracing::warn!(text = panic_text(&*panic), "an object panicked when it was asked for its health");
                false
            })
        };
        self.run(ctx.cell(), contained).await.unwrap_or(false)
    }
}

impl fmt::Debug for ModuleAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleAdapter").finish_non_exhaustive()
    }
}
