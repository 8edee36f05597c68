//! What the macros' code touches beyond the public names. Not for users: it changes without notice.

pub use crate::module::dispatch::{HookOutput, begin, begin_detached, begin_tick, hook};
pub use crate::module::tick::Tick;
