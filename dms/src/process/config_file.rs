//! How the settings of a process are written in a file, where that is not how Rust has them.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::quantity::duration::optional::deserialize as duration;
use crate::recovery::{Backoff, Jitter, Restart, RestartIntensity};

#[derive(Deserialize)]
#[serde(untagged, expecting = "`restart` is \"never\", \"on_failure\" or \"always\", or a table with such a `policy`")]
enum RestartEntry {
    Policy(Policy),
    Table(Table),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Policy {
    Never,
    OnFailure,
    Always,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    policy: Policy,
    max_restarts: Option<u32>,
    #[serde(default, deserialize_with = "duration")]
    within: Option<Duration>,
    /// Before the first restart.
    #[serde(default, deserialize_with = "duration")]
    delay: Option<Duration>,
    #[serde(default, deserialize_with = "duration")]
    longest_delay: Option<Duration>,
}

impl Policy {
    const fn restart(&self) -> Restart {
        match self {
            Self::Never => Restart::never(),
            Self::OnFailure => Restart::on_failure(),
            Self::Always => Restart::always(),
        }
    }
}

/// A policy by its name, or a table that says more.
pub(super) fn restart<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Restart>, D::Error> {
    let Some(entry) = Option::<RestartEntry>::deserialize(deserializer)? else { return Ok(None) };
    Ok(Some(match entry {
        RestartEntry::Policy(policy) => policy.restart(),
        RestartEntry::Table(table) => {
            let RestartIntensity { max_restarts, within } = RestartIntensity::DEFAULT;
            let (first, longest) = (Backoff::DEFAULT.ceiling(0), Backoff::DEFAULT.ceiling(u32::MAX));
            let first = table.delay.unwrap_or(first);
            let longest = table.longest_delay.unwrap_or_else(|| longest.max(first));
            table
                .policy
                .restart()
                .max_restarts(table.max_restarts.unwrap_or(max_restarts), table.within.unwrap_or(within))
                .backoff(Backoff::new(first, longest).jitter(Jitter::Equal))
        }
    }))
}
