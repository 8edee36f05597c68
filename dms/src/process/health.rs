//! How it is found out whether a process is well.

use std::time::Duration;

use serde::Deserialize;

use crate::recovery::{HealthSchedule, HealthThresholds};

/// How it is found out whether a process is well, how often, and how many failures in a row are too many.
///
/// The checks are those of the process's module, as [`#[health]`](macro@crate::health) has them: a failure degrades it, the third one in a row, where nothing else is said, fails it with
/// [`Failure::Health`](crate::Failure::Health), and it is ended and started again as its [`restart`](super::ProcessConfig::restart) says. [`ModuleRef::health`](crate::ModuleRef::health) and the event
/// [`HealthChanged`](crate::event::HealthChanged) tell of it. A process that is [paused](super::ProcessHandle::pause) is not checked.
///
/// ```
/// use std::time::Duration;
/// use dms::process::{HealthConfig, ProcessConfig};
///
/// let health = HealthConfig::http("http://127.0.0.1:8080/ready").every(Duration::from_secs(2)).timeout(Duration::from_secs(1));
/// let web = ProcessConfig::new("web", "python3").args(["-m", "http.server", "8080"]).health(health);
/// ```
///
/// In a file it is a table with one of `command`, `tcp`, `http`, `line` and `heartbeat`, and `every`, `timeout`, `failures`, `successes` and `start_period` where they are not the usual ones:
///
/// ```
/// # use dms::process::{HealthConfig, HealthProbe};
/// # use std::time::Duration;
/// let health: HealthConfig = toml::from_str(r#"
///     line = { send = "ping", expect = "pong" }
///     every = "2s"
///     failures = 5
/// "#)?;
/// assert_eq!(health, HealthConfig::line("ping", "pong").every(Duration::from_secs(2)).failures(5));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct HealthConfig {
    probe: HealthProbe,
    schedule: HealthSchedule,
    start_period: Duration,
}

/// How it is found out whether a process is well.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HealthProbe {
    /// A program that is run for it, in the process's directory and environment, exits with 0. Its limits are not those of the process. What it says last on its standard error, where it fails, is part of the reason. Where it takes too long, it is killed, with all that it started.
    Command {
        /// The program.
        program: String,
        /// Its arguments.
        args: Vec<String>,
    },
    /// A TCP connection is accepted.
    Tcp {
        /// Where: `"127.0.0.1:8080"`, or a name and a port.
        address: String,
    },
    /// A GET is answered with a status of 200 to 399. What follows the headers is not read.
    Http {
        /// What is asked for: `"http://127.0.0.1:8080/ready"`.
        url: String,
    },
    /// A line that is sent to the process is answered with a line. The answer goes to nobody else, while what else the process writes goes where its output goes.
    Line {
        /// What is sent.
        send: String,
        /// What the answer is, to the letter.
        expect: String,
    },
    /// The process writes something, to its standard output or its standard error, at least so often.
    Heartbeat {
        /// How long it may be silent.
        within: Duration,
    },
}

impl HealthConfig {
    fn new(probe: HealthProbe) -> Self {
        Self { probe, schedule: HealthSchedule::DEFAULT, start_period: Duration::ZERO }
    }

    /// A program is run, which exits with 0 where all is well: see [`HealthProbe::Command`].
    #[must_use]
    pub fn command(program: impl Into<String>, args: impl IntoIterator<Item: Into<String>>) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        Self::new(HealthProbe::Command { program: program.into(), args })
    }

    /// A TCP connection is made, to an address as in `"127.0.0.1:8080"`.
    #[must_use]
    pub fn tcp(address: impl Into<String>) -> Self {
        Self::new(HealthProbe::Tcp { address: address.into() })
    }

    /// A GET is answered: see [`HealthProbe::Http`].
    #[must_use]
    pub fn http(url: impl Into<String>) -> Self {
        Self::new(HealthProbe::Http { url: url.into() })
    }

    /// A line is sent to the process, and a line of its output is the answer: see [`HealthProbe::Line`].
    #[must_use]
    pub fn line(send: impl Into<String>, expect: impl Into<String>) -> Self {
        Self::new(HealthProbe::Line { send: send.into(), expect: expect.into() })
    }

    /// The process writes something at least so often: see [`HealthProbe::Heartbeat`].
    #[must_use]
    pub fn heartbeat(within: Duration) -> Self {
        Self::new(HealthProbe::Heartbeat { within })
    }

    /// How long from one check to the next; else 10 s. The first one comes so long after the process was spawned.
    #[must_use]
    pub const fn every(mut self, every: Duration) -> Self {
        self.schedule.every = every;
        self
    }

    /// How long a check may take; else 5 s. Messages to the process's module wait meanwhile; a stop does not, it gives the check up.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.schedule.timeout = timeout;
        self
    }

    /// So many failures in a row are too many; else 3.
    #[must_use]
    pub const fn failures(mut self, failures: u32) -> Self {
        self.schedule.thresholds.failures = failures;
        self
    }

    /// So many successes in a row heal a process that is degraded; else 2.
    #[must_use]
    pub const fn successes(mut self, successes: u32) -> Self {
        self.schedule.thresholds.successes = successes;
        self
    }

    /// For so long after it was spawned, and until its first success, a failure does not count: it takes its time to start. Else every failure counts.
    #[must_use]
    pub const fn start_period(mut self, start_period: Duration) -> Self {
        self.start_period = start_period;
        self
    }

    /// How it is found out.
    #[must_use]
    pub const fn probe(&self) -> &HealthProbe {
        &self.probe
    }

    /// When it is, and how many checks decide.
    #[must_use]
    pub const fn schedule(&self) -> HealthSchedule {
        self.schedule
    }

    pub(super) const fn grace_to_start(&self) -> Duration {
        self.start_period
    }
}

/// It as it is written in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    command: Option<Vec<String>>,
    tcp: Option<String>,
    http: Option<String>,
    line: Option<WrittenLine>,
    #[serde(default, with = "crate::quantity::duration::optional")]
    heartbeat: Option<Duration>,
    #[serde(default, with = "crate::quantity::duration::optional")]
    every: Option<Duration>,
    #[serde(default, with = "crate::quantity::duration::optional")]
    timeout: Option<Duration>,
    failures: Option<u32>,
    successes: Option<u32>,
    #[serde(default, with = "crate::quantity::duration::optional")]
    start_period: Option<Duration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLine {
    send: String,
    expect: String,
}

impl TryFrom<Written> for HealthConfig {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let command = written.command.map(|command| {
            let mut words = command.into_iter();
            HealthProbe::Command { program: words.next().unwrap_or_default(), args: words.collect() }
        });
        let mut probes = [
            command,
            written.tcp.map(|address| HealthProbe::Tcp { address }),
            written.http.map(|url| HealthProbe::Http { url }),
            written.line.map(|WrittenLine { send, expect }| HealthProbe::Line { send, expect }),
            written.heartbeat.map(|within| HealthProbe::Heartbeat { within }),
        ]
        .into_iter()
        .flatten();
        let (Some(probe), None) = (probes.next(), probes.next()) else {
            return Err(
                "health is found out in one way: write one of `command`, `tcp`, `http`, `line` and `heartbeat`",
            );
        };
        let usual = HealthSchedule::DEFAULT;
        let schedule = HealthSchedule {
            every: written.every.unwrap_or(usual.every),
            timeout: written.timeout.unwrap_or(usual.timeout),
            thresholds: HealthThresholds {
                failures: written.failures.unwrap_or(usual.thresholds.failures),
                successes: written.successes.unwrap_or(usual.thresholds.successes),
            },
        };
        Ok(Self { probe, schedule, start_period: written.start_period.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_probe_is_written_as_a_table() {
        let second = Duration::from_secs(1);
        for (text, expected) in [
            ("command = [\"test\", \"-e\", \"ready\"]", HealthConfig::command("test", ["-e", "ready"])),
            ("tcp = \"127.0.0.1:80\"\nevery = \"1s\"", HealthConfig::tcp("127.0.0.1:80").every(second)),
            ("http = \"http://localhost/\"\ntimeout = \"1s\"", HealthConfig::http("http://localhost/").timeout(second)),
            ("heartbeat = \"1m\"\nsuccesses = 1", HealthConfig::heartbeat(60 * second).successes(1)),
            ("tcp = \":1\"\nstart_period = \"1s\"", HealthConfig::tcp(":1").start_period(second)),
        ] {
            assert_eq!(toml::from_str::<HealthConfig>(text).expect(text), expected);
        }
        for text in ["", "tcp = \":1\"\nhttp = \"http://a\"", "tcp = \":1\"\nevry = \"1s\"", "heartbeat = 5"] {
            toml::from_str::<HealthConfig>(text).expect_err(text);
        }
    }
}
