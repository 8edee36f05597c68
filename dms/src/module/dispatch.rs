//! What happens between taking a message and running its handler; the macro's code calls this.

use super::context::Context;
use super::deadline::Deadline;
use super::error::ModuleError;
use super::event::{EventDelivery, EventOutput, EventResponse};
use super::handler::Module;
use super::reply::ReplyTo;

/// Says that the handler `name` begins, unless its asker has gone: then it does not, and this is false.
#[inline]
pub fn begin<T: Module, R>(reply: &ReplyTo<R>, name: &'static str, ctx: &mut Context<T>) -> bool {
    match reply.call(|| ctx.cell.core.environment.sweeps()) {
        None => ctx.cell.core.set_deadline(Deadline::NEVER),
        Some(Ok(deadline)) => ctx.cell.core.set_deadline(deadline),
        Some(Err(_)) => return false,
    }
    ctx.begin(name);
    true
}

/// As [`begin`], for a handler that takes its [`ReplyTo`] and may give it to another task.
#[inline]
pub fn begin_detached<T: Module, R>(reply: &ReplyTo<R>, name: &'static str, ctx: &mut Context<T>) -> bool {
    ctx.cell.core.detach();
    begin(reply, name, ctx)
}

/// Says that the tick `name` begins.
#[inline]
pub fn begin_tick<T: Module>(name: &'static str, ctx: &mut Context<T>) {
    begin(&ReplyTo::<()>::nobody(), name, ctx);
}

/// Says that the event handler `name` begins.
#[inline]
pub fn begin_event<T: Module, E>(delivery: &mut EventDelivery<E>, name: &'static str, ctx: &mut Context<T>) {
    begin_tick(name, ctx);
    delivery.begin();
}

/// The response of an event handler.
///
/// # Errors
/// The handler's own.
pub fn event_output(output: impl EventOutput) -> Result<EventResponse, ModuleError> {
    output.into_response()
}

/// What a hook may return: nothing, or a `Result` without a value.
#[diagnostic::on_unimplemented(
    message = "a hook or task cannot return `{Self}`",
    label = "not `()` or `Result<(), E>`",
    note = "return nothing, or `Result<(), ModuleError>` (any error turns into a `ModuleError` with `?`)"
)]
pub trait HookOutput {
    /// Whether the hook was successful.
    ///
    /// # Errors
    /// The hook's own.
    fn into_result(self) -> Result<(), ModuleError>;
}

impl HookOutput for () {
    fn into_result(self) -> Result<(), ModuleError> {
        Ok(())
    }
}

impl<E: Into<ModuleError>> HookOutput for Result<(), E> {
    fn into_result(self) -> Result<(), ModuleError> {
        self.map_err(Into::into)
    }
}

/// The result of a hook.
///
/// # Errors
/// The hook's own.
pub fn hook(output: impl HookOutput) -> Result<(), ModuleError> {
    output.into_result()
}
