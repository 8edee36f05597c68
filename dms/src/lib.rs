#![cfg_attr(
    all(
        unix,
        feature = "adapter",
        feature = "config",
        feature = "process",
        feature = "signing",
        feature = "snapshot",
        feature = "udp",
        feature = "wire"
    ),
    doc = include_str!("../../README.md")
)]
#![cfg_attr(
    not(all(
        unix,
        feature = "adapter",
        feature = "config",
        feature = "process",
        feature = "signing",
        feature = "snapshot",
        feature = "udp",
        feature = "wire"
    )),
    doc = "Write a program as modules that own their state and talk by typed messages; the whole text comes with all features."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The macros write `::dms`, in this crate too.
#[allow(unused_extern_crates, reason = "the macros name the crate they are used in")]
extern crate self as dms;

#[cfg(feature = "adapter")]
pub mod adapter;
#[cfg(any(feature = "snapshot", feature = "wire"))]
mod message;
mod module;
#[cfg(feature = "observe")]
pub mod observe;
#[cfg(all(feature = "process", not(unix)))]
compile_error!("the feature `process` of `dms` is for Unix; see that this target does not ask for it");
#[cfg(all(feature = "process", unix))]
pub mod process;
#[cfg(any(feature = "config", feature = "process"))]
mod quantity;
pub mod recovery;
#[cfg(feature = "session")]
pub mod session;
mod system;
pub mod testing;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

#[cfg(feature = "wire")]
pub use dms_macros::request;
pub use dms_macros::{event, handler, health, init, module, restore, run, snapshot, start, stop, tick};
#[cfg(feature = "wire")]
pub use message::{Format, MAX_PAYLOAD, PayloadError, Request, Response, ResponseError};
#[cfg(feature = "wire")]
pub use module::RequestError;
pub use module::{
    Accepts, Answers, Ask, AskError, AskFuture, Context, Cycle, DEFAULT_ASK_TIMEOUT, Describe, DynMessage,
    EventResponse, Failure, Handler, Inbox, Kill, MessageSet, Module, ModuleError, ModuleFlags, ModuleId, ModuleInfo,
    ModuleName, ModuleRef, ModuleReport, ModuleState, Overflow, Recipient, Reload, ReloadEntry, ReloadError,
    ReloadFuture, ReloadOutcome, ReloadReport, ReplyTo, SendError, Stop, StopError, Task, TaskError, TaskOutput,
    Timeout, TimerHandle, Version, Watch,
};
#[cfg(feature = "snapshot")]
pub use module::{
    Snapshot, SnapshotAsk, SnapshotError, SnapshotFileError, SnapshotFuture, Snapshots, TakeSnapshot, TakeSnapshotError,
};
pub use recovery::HealthStatus;
#[cfg(feature = "config")]
pub use system::{Config, ConfigBuilder, ConfigError, ConfigOrigin, ConfigReload};
pub use system::{
    DependencyCandidate, DependencyError, Event, FindError, HealthReport, ModuleHealth, ModuleSummary, Pool, Register,
    RegisterAll, RegisterError, RegisterFuture, RegisterPool, RegisterPoolFuture, RegisterSet, Routing, ShutdownReport,
    StopPool, Supervisor, System, SystemBuilder, SystemFailure, SystemRef,
};
#[cfg(feature = "wire")]
pub use system::{RequestFuture, SendRequest};

/// Events: what a module gets without being sent it.
///
/// An event is a value of any type that is `Send + Sync + 'static`. [`SystemRef::publish`](crate::SystemRef::publish) brings it to every module that takes it
/// in an `#[event]` handler. The system itself publishes [`Tick`](event::Tick), [`Shutdown`](event::Shutdown),
/// [`MemoryPressure`](event::MemoryPressure), [`CpuHotplug`](event::CpuHotplug), [`Down`](event::Down), [`Reloaded`](event::Reloaded) and
/// [`HealthChanged`](event::HealthChanged), and with the feature `config` also
/// `ConfigChanged`. With the feature `process` each process tells of itself with `process::ProcessChanged` and `process::StreamTrouble`.
pub mod event {
    pub use crate::module::{Down, EventCounts, EventDelivery, EventOutput, HealthChanged, Lagged, Reloaded};
    #[cfg(feature = "config")]
    pub use crate::system::ConfigChanged;
    pub use crate::system::{
        CpuHotplug, Custom, HandlerStuck, MemoryPressure, PressureLevel, Published, Shutdown, Tick,
    };
    pub use crate::{Event, EventResponse};
}

/// What a program of modules needs, to be imported whole.
pub mod prelude {
    pub use crate::{
        AskError, Context, DynMessage, Event, EventResponse, Handler, HealthStatus, Inbox, Module, ModuleError,
        ModuleRef, Overflow, Pool, Recipient, ReplyTo, SendError, System, SystemRef, TimerHandle,
    };
    // The attribute alone: the module of its name is not part of the prelude.
    #[cfg(feature = "wire")]
    pub use crate::{Request, Response, request};
    #[cfg(feature = "snapshot")]
    pub use crate::{Snapshot, Version};
    pub use dms_macros::{event, handler, health, init, module, restore, run, snapshot, start, stop, tick};
}
