//! The results for those who read them.

mod table;

use std::fs;
use std::path::Path;

use crate::results::Results;

/// Writes all forms of the results into a directory.
pub(crate) fn write(results: &Results, directory: &Path) -> Result<(), String> {
    let problem = |error: &dyn std::fmt::Display| format!("writing to {}: {error}", directory.display());
    fs::create_dir_all(directory).map_err(|error| problem(&error))?;
    let json = serde_json::to_string_pretty(results).map_err(|error| problem(&error))?;
    fs::write(directory.join("results.json"), json + "\n").map_err(|error| problem(&error))?;
    fs::write(directory.join("results.md"), table::markdown(results)).map_err(|error| problem(&error))
}

pub(crate) use table::markdown;
