//! Tasks beside a session: none is detached, and none fails unheard.
//!
//! [`monitor`] owns them and waits for them, [`spawner`] begins them, [`error`] is what becomes of one that fails. [`among`] nests those that a task owns. In a module [`context`] has the module own them.

mod among;
mod context;
mod error;
mod monitor;
mod spawner;

pub use error::BackgroundError;
pub use monitor::BackgroundMonitor;
pub use spawner::BackgroundSpawner;
