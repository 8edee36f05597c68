//! dms
