//! OS processes as supervised modules (feature `process`).
