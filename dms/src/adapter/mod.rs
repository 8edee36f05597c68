//! Modules made of objects: hooks that block, behind one type of module.
//!
//! [`ModuleTrait`] is what an object implements, with nothing of dms' in it that is `async` or generic, so that it can be a `Box<dyn ModuleTrait>`. [`ModuleAdapter`] makes a
//! module of it, which is registered, found, asked and stopped as any other. It is for code that was written for an interface of synchronous hooks, and for modules that are
//! chosen while the program runs. Where the type is known, `#[module]` is shorter, checked by the compiler, and quicker.
//!
//! ```
//! use dms::adapter::{Context, Event, EventResponse, ModuleAdapter, ModuleInfo, ModuleTrait, Request};
//! use dms::{ModuleError, Response, System};
//!
//! struct Store { timeout: usize }
//!
//! impl ModuleTrait for Store {
//!     fn info(&self) -> ModuleInfo {
//!         ModuleInfo::new("store").version(1, 2, 0).provides(&["storage"])
//!     }
//!
//!     fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
//!         self.timeout = ctx.config_usize("timeout").unwrap_or(1000);
//!         Ok(())
//!     }
//!
//!     fn handle_request(&mut self, request: &Request) -> Result<Response, ModuleError> {
//!         match request.request_type.as_str() {
//!             "timeout" => Ok(Response::ok(self.timeout.to_string())),
//!             _ => Ok(Response::err("Unknown request")),
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let system = System::new();
//! let store = system.register_module(ModuleAdapter::new(Store { timeout: 0 })).await?;
//! assert_eq!(store.name(), "store");
//! let response = system.request("storage", dms::Request::new("timeout", "")).await?;
//! assert_eq!(response.payload(), b"1000");
//! # system.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! Reading order: `object` is the trait, `context` what its `init` gets, `request` what it asks and is asked, `adapter` the module.

#[allow(clippy::module_inception, reason = "the room is named after its main type")]
mod adapter;
mod context;
mod object;
mod request;

pub use adapter::{IsHealthy, ModuleAdapter, ModuleAdapterMessage, ModuleAdapterRef};
pub use context::Context;
pub use object::ModuleTrait;
pub use request::Request;

#[doc(no_inline)]
pub use crate::{Event, EventResponse, ModuleInfo, Response};
