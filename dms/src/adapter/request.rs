//! A request as objects write and read it.

use crate::message::{self, Format};

/// A request by name, as an object asks it and is asked: a kind, and bytes.
///
/// The bytes come to the other side as they are. What they mean is between the two: for an object they are whatever it expects, for a
/// [`#[handler(remote)]`](crate::handler) the JSON of its message.
///
/// ```
/// use dms::adapter::Request;
///
/// let request = Request { source: "console", request_type: String::from("get_status"), payload: vec![] };
/// assert_eq!(dms::Request::from(request).request_type, "get_status");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// The name of the module that asks; empty where no module asks. [`Context::request`](super::Context::request) writes it, whatever stands here.
    pub source: &'a str,
    /// What is asked for.
    pub request_type: String,
    /// What belongs to it.
    pub payload: Vec<u8>,
}

/// The bytes count as JSON.
impl From<Request<'_>> for message::Request {
    fn from(Request { source, request_type, payload }: Request<'_>) -> Self {
        Self { source: source.to_owned(), request_type, payload, format: Format::Json }
    }
}
