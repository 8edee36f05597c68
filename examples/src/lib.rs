//! The examples of dms; each is a binary.
