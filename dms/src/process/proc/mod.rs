//! What Linux tells of processes, in the files of `/proc`.
//!
//! Reading order: [`census`] is which processes a group has, [`stat`] and [`fields`] read the files of one, and [`member`] puts together what they say of it.

mod census;
mod fields;
mod member;
mod stat;

pub(super) use census::{members_now, members_of};
pub(super) use member::{Member, memory_of, shared_once};
