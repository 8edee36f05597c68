//! Finding out whether a process is well, in one way each.

mod command;
mod heartbeat;
mod http;
mod line;
mod tcp;

use super::config::ProcessConfig;
use super::health::HealthProbe;
use super::streams::Wires;

/// Why a process is not well.
pub(super) type Reason = String;

/// Whether the process of this configuration, which runs, is well.
///
/// # Cancel safety
/// Cancel safe: nothing is left of what it began.
pub(super) async fn run(probe: &HealthProbe, config: &ProcessConfig, wires: &Wires) -> Result<(), Reason> {
    match probe {
        HealthProbe::Command { program, args } => command::run(program, args, config).await,
        HealthProbe::Tcp { address } => tcp::run(address).await,
        HealthProbe::Http { url } => http::run(url).await,
        HealthProbe::Line { send, expect } => line::run(send, expect, wires).await,
        HealthProbe::Heartbeat { within } => heartbeat::run(*within, wires),
    }
}

/// What is wrong with the probe itself, to follow "its `health`".
pub(super) fn check(probe: &HealthProbe) -> Result<(), Reason> {
    match probe {
        HealthProbe::Http { url } => {
            http::check(url).map(|_| ()).map_err(|reason| format!("asks for `{url}`, {reason}"))
        }
        HealthProbe::Line { send, expect } if send.contains('\n') || expect.contains('\n') => {
            Err("has a line break within a line".to_owned())
        }
        HealthProbe::Command { program, .. } if program.is_empty() => Err("runs no program".to_owned()),
        _ => Ok(()),
    }
}
