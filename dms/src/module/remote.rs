//! Handlers that are reached by name, with bytes for arguments: the one wire table. The macro's code fills it.
//!
//! Underneath it is an ask like any other. The bytes become the typed message in the asker's task, before the module hears of it; what the module replies becomes bytes in the asker's
//! task as well.

use std::fmt;
use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::ask::Ask;
use super::cell::Cell;
use super::error::ModuleError;
use super::handler::{Answers, Module};
use super::info::Timeout;
use super::message_set::{Accepts, Owner};
use super::module_ref::ModuleRef;
use super::request_error::RequestError;
use super::schema::{Shape, Side};
use super::worker::panic_text;
use crate::message::{PayloadError, Request, Response};

/// A message that can be made from bytes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from bytes, and its handler is `remote`",
    label = "not both `Serialize` and `Deserialize`",
    note = "write `#[derive(serde::Serialize, serde::Deserialize)]` above `{Self}`, and above the types of its fields, which own what they hold; or remove `remote`",
    note = "a type parameter needs `T: serde::Serialize + serde::de::DeserializeOwned` on the impl"
)]
pub trait RemoteMessage: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<M: Serialize + DeserializeOwned + Send + 'static> RemoteMessage for M {}

/// A reply that can be made into bytes, and back on the other side.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written as bytes, and its handler is `remote`",
    label = "not both `Serialize` and `Deserialize`",
    note = "write `#[derive(serde::Serialize, serde::Deserialize)]` above the types that the reply is made of, which own what they hold; or remove `remote`",
    note = "an error of a type that has no such form, as `ModuleError`, goes as its text: reply with a `Result<_, String>`",
    note = "a type parameter needs `T: serde::Serialize + serde::de::DeserializeOwned` on the impl"
)]
pub trait RemoteReply: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<R: Serialize + DeserializeOwned + Send + 'static> RemoteReply for R {}

/// A handler that is reached by name.
pub struct Remote<T: Module> {
    name: &'static str,
    docs: &'static str,
    message: Shape,
    reply: Shape,
    ask: AskByName<T>,
}

/// Decodes the message and asks it.
type AskByName<T> = fn(Arc<Cell<Owner<T>>>, &Request, Timeout) -> Result<Answering, PayloadError>;

/// The method that gets what no handler has the name of.
pub struct OnRequest<T: Module> {
    ask: fn(Arc<Cell<Owner<T>>>, Request, Timeout) -> Answering,
}

/// A request under way.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Response, RequestError>> + Send>>;

impl<T: Module> Remote<T> {
    /// The handler of `M`, under the name that it has everywhere.
    #[must_use]
    pub const fn new<M, R>(name: &'static str, docs: &'static str, message: Shape, reply: Shape) -> Self
    where
        T: Answers<M, Reply = R>,
        M: RemoteMessage,
        R: RemoteReply,
    {
        Self { name, docs, message, reply, ask: ask::<T, M, R> }
    }

    fn describe(&self) -> Value {
        json!({
            "name": self.name,
            "description": self.docs,
            "message": self.message.describe(Side::Reads),
            "reply": self.reply.describe(Side::Writes),
        })
    }
}

impl<T: Answers<Request, Reply = Response>> OnRequest<T> {
    /// The method that `T` handles a [`Request`] with.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "generated code calls it in a constant")]
    pub const fn new() -> Self {
        Self { ask: ask_untyped::<T> }
    }
}

fn ask<T, M, R>(cell: Arc<Cell<Owner<T>>>, request: &Request, timeout: Timeout) -> Result<Answering, PayloadError>
where
    T: Answers<M, Reply = R>,
    M: RemoteMessage,
    R: RemoteReply,
{
    let (format, limit) = (request.format, cell.core.environment.max_payload);
    let message: M = contained(|| format.read(&request.payload, limit))?;
    Ok(Box::pin(async move {
        let target = ModuleRef::<T> { cell };
        let name = || T::Message::handler().to_owned();
        let reply = Ask::within(&target, message, timeout).await;
        let reply = reply.map_err(|error| RequestError::unanswered(error, name()))?;
        // The reply is dropped inside as well.
        let payload = contained(move || {
            let reply = reply;
            format.write(&reply, limit)
        });
        payload.map(|payload| Response::of(payload, format)).map_err(|source| RequestError::Reply {
            module: target.name(),
            request: name(),
            source,
        })
    }))
}

fn ask_untyped<T>(cell: Arc<Cell<Owner<T>>>, request: Request, timeout: Timeout) -> Answering
where
    T: Answers<Request, Reply = Response>,
{
    Box::pin(async move {
        let target = ModuleRef::<T> { cell };
        let (name, format, limit) =
            (request.request_type.clone(), request.format, target.cell.core.environment.max_payload);
        match Ask::within(&target, request, timeout).await {
            Ok(response) if response.len() > limit => {
                let source = PayloadError::TooLarge { limit };
                Err(RequestError::Reply { module: target.name(), request: name, source })
            }
            Ok(response) => Ok(response.to(format)),
            Err(error) => Err(RequestError::unanswered(error, name)),
        }
    })
}

/// Asks a module by name.
pub(super) fn request<T: Module>(
    cell: Arc<Cell<Owner<T>>>,
    request: Request,
    timeout: Timeout,
) -> Result<Answering, RequestError> {
    let remote = T::REMOTE.iter().find(|remote| remote.name == request.request_type);
    let limit = cell.core.environment.max_payload;
    let module = Arc::clone(&cell);
    let asked = match (remote, T::ON_REQUEST) {
        (None, None) => {
            return Err(RequestError::UnknownRequest {
                module: cell.core.name(),
                request: request.request_type,
                requests: T::REMOTE.iter().map(|remote| remote.name.to_owned()).collect(),
            });
        }
        (None, Some(on_request)) if request.payload.len() <= limit => {
            return Ok((on_request.ask)(cell, request, timeout));
        }
        (None, Some(_)) => Err(PayloadError::TooLarge { limit }),
        (Some(remote), _) => (remote.ask)(cell, &request, timeout),
    };
    asked.map_err(|source| RequestError::Payload {
        module: module.core.name(),
        request: request.request_type,
        expected: remote.map_or("any payload", |remote| remote.message.written).to_owned(),
        source,
    })
}

/// What can be asked of a module by name.
pub(super) fn describe<T: Module>() -> Value {
    T::REMOTE.iter().map(Remote::describe).collect()
}

/// Runs code of the user's that what came from outside is given to: a panic in it is an error.
pub(crate) fn contained<V>(run: impl FnOnce() -> Result<V, PayloadError>) -> Result<V, PayloadError> {
    panic::catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(PayloadError::Panicked { text: panic_text(&*panic) }))
}

/// What a `#[request]` method may return.
#[diagnostic::on_unimplemented(
    message = "a `#[request]` method cannot return `{Self}`",
    label = "not `Response` or `Result<Response, E>`",
    note = "return `Response`, or `Result<Response, ModuleError>` (any error turns into a `ModuleError` with `?`)"
)]
pub trait RequestOutput {
    /// As a response: an error's text and that of its causes.
    fn into_response(self) -> Response;
}

impl RequestOutput for Response {
    fn into_response(self) -> Response {
        self
    }
}

impl<E: Into<ModuleError>> RequestOutput for Result<Response, E> {
    fn into_response(self) -> Response {
        self.unwrap_or_else(|error| Response::err(error.into().chain()))
    }
}

/// The response of a `#[request]` method.
pub fn response(output: impl RequestOutput) -> Response {
    output.into_response()
}

impl<T: Module> fmt::Debug for Remote<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("name", &self.name)
            .field("message", &self.message.written)
            .finish_non_exhaustive()
    }
}

impl<T: Module> fmt::Debug for OnRequest<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnRequest").finish_non_exhaustive()
    }
}
