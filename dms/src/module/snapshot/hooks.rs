//! What lies between a module's own methods and its snapshots; the macro's code calls this.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::SnapshotError;
use super::snapshot::Snapshot;
use crate::module::context::Context;
use crate::module::error::ModuleError;
use crate::module::handler::Module;
use crate::module::info::Version;
use crate::module::reply::ReplyTo;

/// What becomes of taking a snapshot.
pub type Taken = Result<Snapshot, SnapshotError>;

/// A state that a snapshot can be made of.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written to a snapshot",
    label = "not `Serialize`",
    note = "return the state from `#[snapshot]`, or a `Result` of it, and write `#[derive(serde::Serialize)]` above its type and those of its fields",
    note = "a type parameter needs `T: serde::Serialize` on the impl"
)]
pub trait WriteState: Serialize {}

#[diagnostic::do_not_recommend]
impl<S: Serialize + ?Sized> WriteState for S {}

/// A state that can be made of a snapshot.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a snapshot",
    label = "not `Deserialize`",
    note = "write `#[derive(serde::Deserialize)]` above the type that `#[restore]` takes, and above those of its fields, which own what they hold",
    note = "a type parameter needs `T: serde::de::DeserializeOwned` on the impl"
)]
pub trait ReadState: DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<S: DeserializeOwned> ReadState for S {}

/// Why there is no state.
#[diagnostic::on_unimplemented(
    message = "a `#[snapshot]` method cannot fail with `{Self}`",
    label = "no error that turns into a `ModuleError`",
    note = "return the state, or `Result<State, ModuleError>` (any error turns into a `ModuleError` with `?`)"
)]
pub trait StateError: Into<ModuleError> {}

#[diagnostic::do_not_recommend]
impl<E: Into<ModuleError>> StateError for E {}

/// What `#[restore]` takes beside the state.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the version of the module that wrote the state",
    label = "not `Version`",
    note = "write `from: Version`, which is `dms::Version`"
)]
pub trait WrittenBy {
    /// As the method takes it.
    fn version(version: Version) -> Self;
}

impl WrittenBy for Version {
    fn version(version: Version) -> Self {
        version
    }
}

/// A snapshot of the state that a `#[snapshot]` method returned.
///
/// # Errors
/// The state has no form in MessagePack.
pub fn snapshot_of<T: Module>(ctx: &Context<T>, state: impl WriteState) -> Taken {
    let core = &ctx.cell.core;
    // Not what the place says of itself: a module of another type may have taken it.
    let info = core.own_info().unwrap_or(const { &T::INFO });
    Snapshot::new(core.name(), info.type_name, info.version, &state)
}

/// As [`snapshot_of`], for a method that may fail.
///
/// # Errors
/// The method's own; or the state has no form in MessagePack.
pub fn snapshot_or_error<T: Module, S: WriteState, E: StateError>(ctx: &Context<T>, state: Result<S, E>) -> Taken {
    let refused = |error: E| SnapshotError::Refused { module: ctx.cell.core.name(), text: error.into().chain() };
    snapshot_of(ctx, state.map_err(refused)?)
}

/// The state that a snapshot holds. The bytes are gone when it is there.
///
/// # Errors
/// It holds another one.
#[allow(clippy::needless_pass_by_value, reason = "the bytes are not to live as long as the state")]
pub fn state<S: ReadState>(snapshot: Snapshot) -> Result<S, SnapshotError> {
    snapshot.decode()
}

/// The version of the module that took the snapshot.
#[must_use]
pub fn written_by<V: WrittenBy>(snapshot: &Snapshot) -> V {
    V::version(snapshot.version())
}

/// Answers who asked for a snapshot.
pub fn answer_snapshot<T: Module>(module: &T, reply: ReplyTo<Taken>, ctx: &Context<T>) {
    if let Some(taken) = module.take_snapshot(ctx) {
        reply.send(taken);
    }
}
