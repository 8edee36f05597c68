//! One module alive.
//!
//! Reading order: [`info`], [`flags`] and [`handler`] say what a module is, [`message_set`] what it is sent, [`reply`] what comes back. [`cell`] is what outlives
//! a handler, [`mailbox`] its queue, [`room`] the line before a full one. [`worker`] is the module's task, [`inbox`] its loop, [`supervised`] the life of one that is built again, [`together`] with its siblings, [`reload`] that of one whose place another takes, [`dispatch`] the moment before a handler, [`overrun`] its deadline, [`retry`] its next try,
//! [`inline`] what an asker may do in its place,
//! [`context`] what a handler can reach, [`task`] what it may run beside, [`task_list`] how that is joined. [`event`] is what comes to many modules at once,
//! [`subscription`] what lies between, [`tally`] what becomes of it. [`module_ref`], [`ask`] and [`recipient`] are the ways in; with the feature `wire`, `remote` is one by name,
//! with `schema` to say what it takes and `request_error` what can go wrong, and `carried` is what a network carries; with the feature `snapshot`, `snapshot` is the state of a module as bytes. [`tick`] and [`timers`] bring what comes by
//! itself, [`deadline`] and [`askers`] end what takes too long, [`deadlock`] what would take for ever, with [`current`] to know who asks. [`blocking`] is the way in from a thread that may be blocked, and with the feature `adapter`, `blocking_pool` gives a module one. [`lifecycle`] and [`error`] are what
//! is seen of it all, [`watch`] waits for it, [`down`] tells others of an end, [`health`] of how a module is, by what [`health_check`] finds out and [`health_judge`] makes of it, [`stop`] asks for the end, [`kill`] for one at once, which [`cut`] brings about, [`environment`] what this room asks of the system.
//!
//! This is the one knot of the project: a reference, a mailbox and a context do need each other. Nothing outside it joins it.

pub(crate) mod ask;
pub(crate) mod askers;
pub(crate) mod blocking;
#[cfg(feature = "adapter")]
pub(crate) mod blocking_pool;
#[cfg(feature = "wire")]
pub(crate) mod carried;
pub(crate) mod cell;
pub(crate) mod context;
pub(crate) mod current;
pub(crate) mod cut;
pub(crate) mod deadline;
pub(crate) mod deadlock;
pub(crate) mod dispatch;
pub(crate) mod down;
pub(crate) mod environment;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod flags;
pub(crate) mod handler;
pub(crate) mod health;
pub(crate) mod health_check;
pub(crate) mod health_judge;
#[cfg(feature = "observe")]
pub(crate) mod histogram;
pub(crate) mod inbox;
pub(crate) mod info;
pub(crate) mod inline;
pub(crate) mod kill;
#[cfg(feature = "observe")]
pub(crate) mod life_log;
pub(crate) mod lifecycle;
pub(crate) mod mailbox;
pub(crate) mod message_set;
pub(crate) mod module_ref;
pub(crate) mod overrun;
pub(crate) mod polled_again;
pub(crate) mod recipient;
pub(crate) mod reload;
#[cfg(feature = "wire")]
pub(crate) mod remote;
pub(crate) mod reply;
#[cfg(feature = "wire")]
pub(crate) mod request_error;
pub(crate) mod retry;
pub(crate) mod room;
#[cfg(feature = "wire")]
pub(crate) mod schema;
#[cfg(feature = "snapshot")]
pub(crate) mod snapshot;
#[cfg(feature = "observe")]
pub(crate) mod span;
#[cfg(not(feature = "observe"))]
#[path = "span_off.rs"]
pub(crate) mod span;
pub(crate) mod stop;
pub(crate) mod subscription;
pub(crate) mod supervised;
pub(crate) mod tally;
pub(crate) mod task;
pub(crate) mod task_list;
pub(crate) mod tick;
pub(crate) mod timers;
pub(crate) mod together;
#[cfg(feature = "observe")]
pub(crate) mod traffic;
#[cfg(not(feature = "observe"))]
#[path = "traffic_off.rs"]
pub(crate) mod traffic;
pub(crate) mod watch;
pub(crate) mod worker;

pub use ask::{Ask, AskFuture};
pub use context::Context;
pub use down::{Down, Watch};
pub use error::{AskError, Cycle, ModuleError, SendError};
pub use event::{EventDelivery, EventOutput, EventResponse, Lagged};
pub use flags::ModuleFlags;
pub use handler::{Answers, Handler, Module};
pub use health::HealthChanged;
pub use inbox::Inbox;
pub use info::{DEFAULT_ASK_TIMEOUT, Describe, ModuleInfo, Overflow, Timeout, Version};
pub use kill::Kill;
pub use lifecycle::{Failure, ModuleId, ModuleName, ModuleReport, ModuleState};
pub use message_set::{Accepts, DynMessage, MessageSet};
pub use module_ref::ModuleRef;
pub use recipient::Recipient;
pub use reload::{Reload, ReloadEntry, ReloadError, ReloadFuture, ReloadOutcome, ReloadReport, Reloaded};
pub use reply::ReplyTo;
#[cfg(feature = "wire")]
pub use request_error::RequestError;
#[cfg(feature = "snapshot")]
pub use snapshot::{
    Snapshot, SnapshotAsk, SnapshotError, SnapshotFileError, SnapshotFuture, Snapshots, TakeSnapshot, TakeSnapshotError,
};
pub use stop::{Stop, StopError};
pub use tally::EventCounts;
pub use task::{Task, TaskError, TaskOutput};
pub use tick::TimerHandle;
