//! The event that a process comes near a limit.

use super::id::ProcessId;
use super::judge::LimitLevel;
use super::limits::{Amount, Limit};

/// The event that a process has come near one of its [limits](super::ResourceLimits).
///
/// Each level is told once; again when the process has been 5 % below where it begins. Where a process comes from below the first level to the second at once, only that is told.
///
/// ```
/// # use dms::prelude::*;
/// use dms::process::LimitNear;
///
/// #[module]
/// struct Journal;
///
/// #[module]
/// impl Journal {
///     #[event]
///     fn near(&mut self, near: &LimitNear) {
///         println!("{} uses {} of its {} ({})", near.id, near.used, near.allowed, near.limit);
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LimitNear {
    /// What the process is called.
    pub id: ProcessId,
    /// Its number; `None` where it has ended meanwhile.
    pub pid: Option<u32>,
    /// Which limit.
    pub limit: Limit,
    /// How near it is.
    pub level: LimitLevel,
    /// How much it may use.
    pub allowed: Amount,
    /// How much it uses.
    pub used: Amount,
}
