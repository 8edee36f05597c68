//! Quantities as they are written in settings. Data only; this room knows nothing of who reads them.
//!
//! Reading order: [`duration`] is `"1m 30s"`, [`size`] is `"64MiB"`.

pub(crate) mod duration;
#[cfg(feature = "process")]
pub(crate) mod size;
