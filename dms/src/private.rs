//! What the macros' code touches beyond the public names. Not for users: it changes without notice.

pub use crate::module::dispatch::{HookOutput, begin, begin_detached, begin_event, begin_tick, event_output, hook};
pub use crate::module::health_check::{HealthCheck, HealthOutput, begin_check, health};
pub use crate::module::message_set::Held;
pub use crate::module::overrun::within;
pub use crate::module::retry::keep;
pub use crate::module::subscription::{EventHandler, Subscribe};
pub use crate::module::tick::Tick;

#[cfg(feature = "wire")]
pub use crate::module::{
    carried::{CarriedMessages, no_message, not_carried, read_message, write_message},
    remote::{OnRequest, Remote, RemoteMessage, response},
    schema::{Described, Shape, Typed, Undescribed, arguments, arguments_unknown},
};
#[cfg(feature = "wire")]
pub use serde;

/// What stands in generated code for remote handlers; without the feature, an error that names it.
#[cfg(feature = "wire")]
#[doc(hidden)]
#[macro_export]
macro_rules! __remote {
    ($($items:tt)*) => { $($items)* };
}

/// The same without the feature.
#[cfg(not(feature = "wire"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __remote {
    ($($items:tt)*) => {
        ::core::compile_error!(
            "`remote` handlers and `#[request]` need the feature `wire` of `dms`: write `features = [\"wire\"]` beside its version in Cargo.toml"
        );
    };
}

/// A generated message that can be made from bytes; a struct like any other without the feature.
#[cfg(feature = "wire")]
#[doc(hidden)]
#[macro_export]
macro_rules! __remote_message {
    ([$($attributes:tt)*] [$($of_serde:tt)*] $($item:tt)*) => { $($attributes)* $($of_serde)* $($item)* };
}

/// The same without the feature.
#[cfg(not(feature = "wire"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __remote_message {
    ([$($attributes:tt)*] [$($of_serde:tt)*] $($item:tt)*) => { $($attributes)* $($item)* };
}

/// What makes the enum of messages one that a network carries; nothing without the feature.
#[cfg(feature = "wire")]
#[doc(hidden)]
#[macro_export]
macro_rules! __carried {
    ($($items:tt)*) => { $($items)* };
}

/// The same without the feature: the error about it is that of the handlers.
#[cfg(not(feature = "wire"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __carried {
    ($($items:tt)*) => {};
}

pub use crate::{__carried as carried, __remote as remote, __remote_message as remote_message};

/// What stands in generated code for `#[snapshot]` and `#[restore]`; without the feature, an error that names it.
#[cfg(feature = "snapshot")]
#[doc(hidden)]
#[macro_export]
macro_rules! __snapshot {
    ($($items:tt)*) => { $($items)* };
}

/// The same without the feature.
#[cfg(not(feature = "snapshot"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __snapshot {
    ($($items:tt)*) => {
        ::core::compile_error!(
            "`#[snapshot]` and `#[restore]` need the feature `snapshot` of `dms`: write `features = [\"snapshot\"]` beside its version in Cargo.toml"
        );
    };
}

pub use crate::__snapshot as snapshot;

#[cfg(feature = "snapshot")]
pub use crate::module::snapshot::{
    ReadState, StateError, TakeSnapshot, Taken, WriteState, WrittenBy, answer_snapshot, snapshot_of, snapshot_or_error,
    state, written_by,
};

/// What the enum of messages mentions, so that without the feature its error is the only one.
#[cfg(not(feature = "snapshot"))]
mod without_snapshots {
    /// The message that asks for a snapshot.
    #[derive(Debug)]
    pub struct TakeSnapshot;

    /// The reply to it.
    pub type Taken = ();

    /// Answers nothing.
    pub fn answer_snapshot<T: crate::Module>(_: &T, _: crate::ReplyTo<Taken>, _: &crate::Context<T>) {}
}
#[cfg(not(feature = "snapshot"))]
pub use without_snapshots::{TakeSnapshot, Taken, answer_snapshot};
