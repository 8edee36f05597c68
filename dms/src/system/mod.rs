//! Many modules in one process.
//!
//! Reading order: [`system`] is the main type and [`builder`] its settings; [`register`] brings a module to life, [`registry`] knows those that live, [`shutdown`] ends them in
//! order; [`pool`] puts several behind one handle; [`context`] lets a handler reach the system; `config` is what it is told from outside; `request` asks a module by
//! name (features `config` and `wire`); [`error`] is what can go wrong.

mod builder;
#[cfg(feature = "config")]
mod config;
mod context;
mod error;
mod pool;
mod register;
mod registry;
#[cfg(feature = "wire")]
mod request;
mod shutdown;
#[allow(clippy::module_inception, reason = "the room is named after its main type")]
mod system;

pub use builder::SystemBuilder;
#[cfg(feature = "config")]
pub use config::{Config, ConfigBuilder, ConfigError, ConfigOrigin};
pub use error::{FindError, RegisterError};
pub use pool::{Pool, RegisterPool, RegisterPoolFuture, Routing};
pub use register::{Register, RegisterFuture};
pub use registry::ModuleSummary;
#[cfg(feature = "wire")]
pub use request::{RequestFuture, SendRequest};
pub use shutdown::ShutdownReport;
pub use system::{System, SystemRef};
