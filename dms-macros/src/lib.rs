//! The macros of dms.
