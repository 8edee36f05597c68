//! Asking a module by its name, with bytes, and saying what can be asked.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use serde_json::{Value, json};

use super::system::SystemRef;
use crate::Timeout;
use crate::message::{Request, Response};
use crate::module::blocking::{block_on, may_block};
use crate::module::cell::AnyCell;
use crate::module::polled_again::polled_again;
use crate::module::remote::Answering;
use crate::module::{Context, Module, RequestError};

impl SystemRef {
    /// Sends a request to the module `target`, and waits for its response.
    ///
    /// The module is the one of this name; where there is none, the oldest that provides it. The request goes to its `#[handler(remote)]` of
    /// the name `request_type`, through the mailbox as any ask: deadlines, order and deadlocks are those of an ask. Where the module has no such handler, its `#[request]`
    /// method gets the request.
    ///
    /// A payload is checked before the module hears of it. It has at most as many bytes as [`SystemBuilder::max_payload`](crate::SystemBuilder::max_payload) says, and so has the reply.
    ///
    /// See [`Request`] for an example.
    pub fn request<'a>(&self, target: &'a str, request: Request) -> SendRequest<'a> {
        SendRequest { system: self.clone(), target, request, timeout: Timeout::Inherit }
    }

    /// Sends a request from a thread that is not the runtime's, and blocks it until the response is there: see [`request`](Self::request).
    ///
    /// # Errors
    /// As `request`; inside a handler [`RequestError::WouldBlock`], except on a thread that may be blocked, as a `ModuleAdapter`'s.
    pub fn blocking_request(&self, target: &str, request: Request) -> Result<Response, RequestError> {
        if may_block() {
            block_on(self.request(target, request))
        } else {
            Err(RequestError::WouldBlock { request: request.request_type })
        }
    }

    /// What the system offers, as JSON: its modules in the order of registration, each with what it says of itself and what can be asked of it by name.
    ///
    /// A request has the `name` and the doc comment (`description`) of its handler, and of its `message` and its `reply` the name of the `type` and the `schema`: a JSON Schema (2020-12) that stands for itself. Where
    /// a type does not implement schemars' `JsonSchema` (of the version that dms uses), the schema is `true`. `takes_any_request` says that a `#[request]` method gets what is not listed.
    ///
    /// ```
    /// # use dms::prelude::*;
    /// # #[module(name = "counter")] struct Counter;
    /// # #[module] impl Counter { #[handler(Add, remote)] fn add(&mut self, by: u64) -> u64 { by } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let system = System::new();
    /// # system.register_module(Counter).await?;
    /// let description = system.describe();
    /// assert_eq!(description["modules"][0]["requests"][0]["message"]["type"], "Add");
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn describe(&self) -> Value {
        let cells = self.shared().map(|shared| shared.cells(|_| true)).unwrap_or_default();
        let modules: Vec<_> = cells.iter().map(|cell| describe(&**cell)).collect();
        json!({ "system": self.name(), "modules": modules })
    }
}

fn describe(cell: &dyn AnyCell) -> Value {
    let (core, info) = (cell.core(), cell.core().info());
    json!({
        "id": core.id.0,
        "name": core.name(),
        "type": info.type_name,
        "version": info.version.to_string(),
        "description": info.description,
        "author": info.author,
        "license": info.license,
        "flags": info.flags.names().collect::<Vec<_>>(),
        "provides": info.provides,
        "dependencies": info.dependencies,
        "optional_dependencies": info.optional_dependencies,
        "parent": core.parent().map(|parent| parent.0),
        "state": core.state().to_string(),
        "requests": cell.describe_requests(),
        "takes_any_request": cell.takes_any_request(),
    })
}

impl<T: Module> Context<T> {
    /// Sends a request to the module `target`, as [`SystemRef::request`] does, with this module's name as the source.
    pub fn request<'a>(&self, target: &'a str, mut request: Request) -> SendRequest<'a> {
        request.source = self.name();
        self.system().request(target, request)
    }
}

/// A request to come: await it, or set its deadline first.
#[must_use = "a request does nothing until it is awaited"]
pub struct SendRequest<'a> {
    system: SystemRef,
    target: &'a str,
    request: Request,
    timeout: Timeout,
}

impl SendRequest<'_> {
    /// Gives up after `timeout`, exact to Tokio's millisecond. Inside a handler that was itself asked, never later than its caller gives up.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Timeout::After(timeout);
        self
    }

    /// Waits for as long as it takes. Inside a handler that was itself asked, the caller's deadline still counts.
    pub fn no_timeout(mut self) -> Self {
        self.timeout = Timeout::Never;
        self
    }
}

impl<'a> IntoFuture for SendRequest<'a> {
    type Output = Result<Response, RequestError>;
    type IntoFuture = RequestFuture<'a>;

    fn into_future(self) -> RequestFuture<'a> {
        RequestFuture(Stage::New(self))
    }
}

/// A request under way.
///
/// # Cancel safety
/// Dropping it gives the request up: a handler that has not begun does not begin; one that has runs to its end and its answer is dropped.
///
/// # Panics
/// When it is polled again after it was ready.
#[must_use = "futures do nothing unless polled"]
pub struct RequestFuture<'a>(Stage<'a>);

enum Stage<'a> {
    New(SendRequest<'a>),
    Asked(Answering),
    Done,
}

impl Future for RequestFuture<'_> {
    type Output = Result<Response, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        if matches!(self.0, Stage::New(_))
            && let Stage::New(request) = std::mem::replace(&mut self.0, Stage::Done)
        {
            self.0 = Stage::Asked(request.begin()?);
        }
        let Stage::Asked(answering) = &mut self.0 else { polled_again("RequestFuture") };
        let answer = answering.as_mut().poll(cx);
        if answer.is_ready() {
            self.0 = Stage::Done;
        }
        answer
    }
}

impl SendRequest<'_> {
    fn begin(self) -> Result<Answering, RequestError> {
        let gone = || RequestError::UnknownModule { name: self.target.to_owned(), names: Vec::new() };
        let cell = self.system.shared().ok_or_else(gone)?.addressed(self.target)?;
        cell.request(self.request, self.timeout)
    }
}

impl fmt::Debug for SendRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendRequest")
            .field("target", &self.target)
            .field("request", &self.request.request_type)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RequestFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestFuture").finish_non_exhaustive()
    }
}
