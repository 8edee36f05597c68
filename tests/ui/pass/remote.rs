//! Handlers on the wire in every form, under the lints that a careful crate turns on.
#![deny(warnings, missing_docs, unreachable_pub, unused, clippy::pedantic)]
#![forbid(unsafe_code)]

use dms::prelude::*;
use dms::{Format, PayloadError};

mod amounts {
    /// An amount, whose type is less visible than the message that has it.
    #[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
    pub(crate) struct Amount(pub(crate) u64);
}

/// Counts things.
#[module(name = "counter")]
#[derive(Default)]
pub struct Counter {
    count: u64,
}

#[module(remote)]
impl Counter {
    /// Adds.
    #[handler(Add, derive(Clone, Debug, Default))]
    fn add(&mut self, amount: amounts::Amount, r#type: Option<String>, #[serde(default, rename = "times")] times: u64) -> u64 {
        drop(r#type);
        self.count += amount.0 * times;
        self.count
    }

    /// With derives of its own.
    #[handler(Own, derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema))]
    fn own(&mut self, list: Vec<u8>) -> Result<(), String> {
        if list.is_empty() { Err("it is empty".to_owned()) } else { Ok(()) }
    }

    /// Not there.
    #[cfg(any())]
    #[handler(Absent)]
    fn absent(&self) -> Absent {}

    /// Not on the wire.
    #[handler(Hidden, local)]
    fn hidden(&self) -> std::time::Instant {
        std::time::Instant::now()
    }

    /// Takes the rest.
    #[request]
    async fn others(&self, request: &Request) -> Result<Response, PayloadError> {
        request.respond(&self.count)
    }
}

/// Keeps things.
#[module]
pub(crate) struct Keep<T, const N: usize> {
    kept: Option<[T; N]>,
}

#[module(visibility = "pub(crate)", remote)]
impl<T: Clone, const N: usize> Keep<T, N>
where
    [T; N]: serde::Serialize + serde::de::DeserializeOwned,
{
    /// Keeps.
    #[handler(Put)]
    fn put(&mut self, things: [T; N], count: Vec<u64>) -> Option<[T; N]> {
        drop(count);
        self.kept.replace(things)
    }
}

fn main() {
    let request = Request::message_pack("add", &Add::default()).expect("it can be written");
    assert_eq!(request.format, Format::MessagePack);
    let _ = Keep::<u8, 2> { kept: None };
}
