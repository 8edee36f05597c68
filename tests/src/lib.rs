//! Shared helpers of the tests.
//!
//! - `runtimes`: a test's body on each kind of runtime, with a watch against hanging.
//! - `puppet`: a module that does what each message tells it.
//! - `noted`: a module that notes what becomes of it.
//! - `hold`: a handler that stays where it is until it is let go.
//! - `log`: what happened, in order; how often something was dropped.
//! - `events`: what was logged.

mod events;
mod hold;
mod log;
mod noted;
mod puppet;
mod runtimes;

pub use events::{Event, events_of, heard_by};
pub use hold::{Held, hold};
pub use log::{Drops, Log, Token};
pub use noted::{names_of, needing, noted};
pub use puppet::{Act, Boom, Do, Note, Puppet, act, act_in, held, puppet};
pub use runtimes::{Flavor, cases, eventually, is_long, on_every_runtime, on_paused, settle};
