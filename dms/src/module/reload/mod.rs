//! Hot reload: another value takes a module's place while it runs, in the same slot as a restart.
//!
//! Reading order: [`call`] is what asks for it, [`order`] what the worker is given, [`successor`] the module to come, [`swap`] what the worker does, [`report`] and
//! [`error`] what is told of it.

mod call;
mod error;
mod order;
mod report;
mod successor;
mod swap;

pub use call::{Reload, ReloadFuture};
pub use error::ReloadError;
pub use report::{ReloadEntry, ReloadOutcome, ReloadReport, Reloaded};
pub(super) use successor::Next;
pub(super) use swap::{Step, carry_out};
