//! A program that exits with 0 where all is well.

use super::Reason;
use crate::process::child::Child;
use crate::process::config::ProcessConfig;
use crate::process::spawn;
use crate::process::status::ExitReport;

/// Dropped, it kills the program, and what that started.
pub(super) async fn run(program: &str, args: &[String], of: &ProcessConfig) -> Result<(), Reason> {
    let failed = |error: String| format!("`{program}` could not be run: {error}");
    let config = of.for_probe(program, args);
    let spawned = spawn::spawn(&config).await.map_err(|error| failed(error.text()))?;
    let child = Child::new(spawned.leader).map_err(|error| failed(error.to_string()))?;
    child.ended().await.map_err(|error| failed(error.to_string()))?;
    let status = child.bury().map_err(|error| failed(error.to_string()))?;
    let exit = ExitReport::new(child.pid(), status, child.since().elapsed(), false);
    if exit.is_success() { Ok(()) } else { Err(format!("`{program}` {exit}")) }
}
