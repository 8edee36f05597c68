//! What is sent to a module by name, and what comes back.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::Format;
use super::error::{PayloadError, ResponseError};

/// A request to a module, by the name of a handler and with the arguments as bytes.
///
/// It is for what is not known when the program is compiled: what comes from another process, a console, a file. Where the module's type is known,
/// [`ModuleRef::ask`](crate::ModuleRef::ask) is shorter, checked by the compiler, and quicker.
///
/// ```
/// use dms::prelude::*;
/// use dms::{Request, RequestError};
///
/// #[module(name = "counter")]
/// #[derive(Default)]
/// struct Counter { count: u64 }
///
/// #[module]
/// impl Counter {
///     #[handler(Add, remote)]
///     fn add(&mut self, by: u64) -> u64 {
///         self.count += by;
///         self.count
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new();
/// system.register_module(Counter::default()).await?;
///
/// let response = system.request("counter", Request::new("add", r#"{ "by": 2 }"#)).await?;
/// assert_eq!(response.decode::<u64>()?, 2);
///
/// let unknown = system.request("counter", Request::new("subtract", "")).await;
/// assert!(matches!(unknown, Err(RequestError::UnknownRequest { requests, .. }) if requests == ["add"]));
/// # system.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// The name of the module that asks; [`Context::request`](crate::Context::request) writes it. Empty where no module asks.
    pub source: String,
    /// The name of the handler.
    pub request_type: String,
    /// The handler's message. Empty, or an empty object, for a handler that takes no arguments.
    pub payload: Vec<u8>,
    /// How the payload is written, and how the reply is to be.
    pub format: Format,
}

impl Request {
    /// A request with a payload that is JSON already, or empty.
    #[must_use]
    pub fn new(request_type: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self { source: String::new(), request_type: request_type.into(), payload: payload.into(), format: Format::Json }
    }

    /// A request whose payload is `message`, written as JSON.
    ///
    /// # Errors
    /// The message has no form in JSON: a map whose keys are no texts, for example.
    pub fn json(request_type: impl Into<String>, message: &(impl Serialize + ?Sized)) -> Result<Self, PayloadError> {
        Self::of(request_type, message, Format::Json)
    }

    /// A request whose payload is `message`, written as MessagePack.
    ///
    /// # Errors
    /// The message has no form in MessagePack.
    pub fn message_pack(
        request_type: impl Into<String>,
        message: &(impl Serialize + ?Sized),
    ) -> Result<Self, PayloadError> {
        Self::of(request_type, message, Format::MessagePack)
    }

    fn of(
        request_type: impl Into<String>,
        message: &(impl Serialize + ?Sized),
        format: Format,
    ) -> Result<Self, PayloadError> {
        let payload = format.write(message, usize::MAX)?;
        Ok(Self { source: String::new(), request_type: request_type.into(), payload, format })
    }

    /// Reads the payload as an `M`. An empty payload, or an empty object, is no arguments: `()`, a unit struct, a struct that can do without all of its fields.
    ///
    /// # Errors
    /// The payload is no `M` in this format, or something follows it.
    pub fn decode<M: DeserializeOwned>(&self) -> Result<M, PayloadError> {
        self.format.read(&self.payload, usize::MAX)
    }

    /// A response that is `value`, in the format of this request.
    ///
    /// # Errors
    /// The value has no form in the format.
    pub fn respond(&self, value: &(impl Serialize + ?Sized)) -> Result<Response, PayloadError> {
        Ok(Response::of(self.format.write(value, usize::MAX)?, self.format))
    }
}

/// What a module responded to a [`Request`]: bytes, or a text that says why not.
///
/// The reply of a handler is always bytes: a handler that returns a `Result` replies with serde's form of it, `{"Ok": …}` or `{"Err": …}`, so that it is
/// read back as what it was, and both sides of it have a schema. The text is for `#[request]` methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    outcome: Result<Vec<u8>, String>,
    /// `None` for that of the request.
    format: Option<Format>,
}

impl Response {
    /// These bytes, in the format of the request.
    #[must_use]
    pub fn ok(payload: impl Into<Vec<u8>>) -> Self {
        Self { outcome: Ok(payload.into()), format: None }
    }

    /// No bytes: why it was not done.
    #[must_use]
    pub fn err(text: impl Into<String>) -> Self {
        Self { outcome: Err(text.into()), format: None }
    }

    pub(crate) fn of(payload: Vec<u8>, format: Format) -> Self {
        Self { outcome: Ok(payload), format: Some(format) }
    }

    /// How many bytes it has, of either kind.
    pub(crate) fn len(&self) -> usize {
        self.outcome.as_ref().map_or_else(String::len, Vec::len)
    }

    /// The response to a request of this format.
    pub(crate) fn to(mut self, format: Format) -> Self {
        self.format.get_or_insert(format);
        self
    }

    /// Whether there are bytes.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.outcome.is_ok()
    }

    /// The bytes; none where there is a text.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.outcome.as_deref().unwrap_or_default()
    }

    /// The text, where there are no bytes.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.outcome.as_ref().err().map(String::as_str)
    }

    /// How the bytes are written.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format.unwrap_or_default()
    }

    /// The bytes.
    ///
    /// # Errors
    /// The text, where there are none.
    pub fn into_result(self) -> Result<Vec<u8>, String> {
        self.outcome
    }

    /// Reads the bytes as an `R`: the reply of the handler, whole. Where the handler returns a `Result`, so is `R`.
    ///
    /// # Errors
    /// There is a text and no bytes, or they are no `R`.
    pub fn decode<R: DeserializeOwned>(&self) -> Result<R, ResponseError> {
        match &self.outcome {
            Ok(payload) => Ok(self.format().read(payload, usize::MAX)?),
            Err(text) => Err(ResponseError::Refused { text: text.clone() }),
        }
    }
}
