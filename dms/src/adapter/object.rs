//! What an object is asked to do, to be a module.

use super::context::Context;
use super::request::Request;
use crate::message::Response;
use crate::module::{EventResponse, ModuleError, ModuleInfo};
use crate::system::Event;

/// A module as an object: synchronous hooks, which may block.
///
/// All but [`info`](Self::info) run on a thread of Tokio's blocking pool, one at a time and each to its end: the [`ModuleAdapter`](super::ModuleAdapter) around the object waits for it, other modules do not.
/// A panic in one but [`is_healthy`](Self::is_healthy) fails the module, as in a handler. There, [`Context::request`], [`blocking_ask`](crate::ModuleRef::blocking_ask) and
/// [`blocking_send`](crate::ModuleRef::blocking_send) block the thread; modules that would wait for each other for ever get an error instead.
/// A hook that waits keeps its thread: where the pool has fewer threads than hooks that wait for those of other objects (Tokio's has 512 unless the runtime's builder says otherwise), their deadlines
/// end it.
///
/// Nothing interrupts a hook. A `stop` of the module waits for the one that runs; a [`shutdown_within`](crate::SystemRef::shutdown_within) gives it up at its deadline, and then the hook
/// runs to its end on its thread and the object is dropped there. Otherwise it is dropped on the module's task, before the module has stopped: what blocks belongs into
/// [`stop`](Self::stop) and not into a destructor.
pub trait ModuleTrait: Send + 'static {
    /// What the module is: its name, which one module of a system may have at a time, its version, capabilities, flags and dependencies.
    ///
    /// Called once, when the module is registered, on the thread that registers it. A panic is that registration's error.
    fn info(&self) -> ModuleInfo;

    /// Takes what the module needs. Runs first; messages wait. The context may be kept.
    ///
    /// # Errors
    /// The error fails the registration, which carries it.
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        let _ = ctx;
        Ok(())
    }

    /// Begins the module's work, after `init`.
    ///
    /// # Errors
    /// The error fails the registration, which carries it.
    fn start(&mut self) -> Result<(), ModuleError> {
        Ok(())
    }

    /// Releases what the module took. Runs last, if `init` was successful and nothing panicked.
    ///
    /// # Errors
    /// The error is the module's failure.
    fn stop(&mut self) -> Result<(), ModuleError> {
        Ok(())
    }

    /// Takes one of the system's events. All five kinds come to every object; the events of other types do not.
    fn handle_event(&mut self, event: &Event) -> EventResponse {
        let _ = event;
        EventResponse::Ignored
    }

    /// Answers a request by name.
    ///
    /// # Errors
    /// The asker gets the error's text, and those of its causes, as [`Response::err`].
    fn handle_request(&mut self, request: &Request<'_>) -> Result<Response, ModuleError> {
        Ok(Response::err(format!("there is no request `{}`", request.request_type)))
    }

    /// Whether the module can do its work.
    ///
    /// It is asked every 10 s between two other hooks, ahead of what waits. `false`, or a panic, degrades the module, and three in a row are its failure,
    /// [`Failure::Health`](crate::Failure::Health). A hook that takes long is none.
    fn is_healthy(&self) -> bool {
        true
    }
}

/// A boxed object is one too.
impl<O: ModuleTrait + ?Sized> ModuleTrait for Box<O> {
    fn info(&self) -> ModuleInfo {
        (**self).info()
    }

    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        (**self).init(ctx)
    }

    fn start(&mut self) -> Result<(), ModuleError> {
        (**self).start()
    }

    fn stop(&mut self) -> Result<(), ModuleError> {
        (**self).stop()
    }

    fn handle_event(&mut self, event: &Event) -> EventResponse {
        (**self).handle_event(event)
    }

    fn handle_request(&mut self, request: &Request<'_>) -> Result<Response, ModuleError> {
        (**self).handle_request(request)
    }

    fn is_healthy(&self) -> bool {
        (**self).is_healthy()
    }
}
