//! What is kept of modules that have ended: what became of their messages, together with those of all others of the type (feature `observe`).

use std::collections::BTreeMap;

use crate::module::cell::AnyCell;
use crate::module::traffic::Counters;

/// What is kept of the modules of each type, by what these are called.
pub(crate) type Ended = BTreeMap<&'static str, EndedOfType>;

/// What is kept of the modules of one type.
#[derive(Debug, Clone, Default)]
pub(crate) struct EndedOfType {
    /// How many there were.
    pub(crate) count: u64,
    /// What became of their messages.
    pub(crate) counters: Counters,
}

/// Adds a module that has ended.
pub(super) fn keep(ended: &mut Ended, cell: &dyn AnyCell) {
    let of_type = ended.entry(cell.core().info().name).or_default();
    of_type.count += 1;
    of_type.counters.merge(&cell.counted().counters);
}
