//! What is to be run, and how.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{ProcessError, ProcessResult};
use super::health::HealthConfig;
use super::id::ProcessId;
use super::input::Input;
use super::limits::ResourceLimits;
use super::output::Output;
use super::probe;
use super::stderr::Stderr;
use super::streams::Wiring;
use crate::recovery::{HealthSchedule, Restart};

/// How long a process has to end after it was asked to, where its configuration does not say.
pub(super) const DEFAULT_GRACE: Duration = Duration::from_secs(30);

/// What is to be run, and how.
///
/// What is not set is taken from the configuration that the [`ProcessManager`](super::ProcessManager) was made with, and else is as each method says.
///
/// ```
/// use std::time::Duration;
/// use dms::process::ProcessConfig;
/// use dms::recovery::Restart;
///
/// let web = ProcessConfig::new("web", "python3")
///     .args(["-m", "http.server", "8080"])
///     .current_dir("/srv/www")
///     .env("PYTHONUNBUFFERED", "1")
///     .grace(Duration::from_secs(5))
///     .restart(Restart::on_failure().max_restarts(3, Duration::from_secs(60)));
/// assert_eq!(web.id().as_str(), "web");
/// ```
///
/// It is read from a file too: every setting is a key, `id` and `command` must be there, and a key that there is not is an error. Durations are written as in `"1m 30s"`; `restart` is `"never"`, `"on_failure"` or `"always"`, or a
/// table of `policy`, `max_restarts`, `within`, `delay` and `longest_delay`.
///
/// ```
/// # use std::time::Duration;
/// # use dms::process::ProcessConfig;
/// #[derive(serde::Deserialize)]
/// struct File { process: Vec<ProcessConfig> }
///
/// let file: File = toml::from_str(r#"
///     [[process]]
///     id = "web"
///     command = "python3"
///     args = ["-m", "http.server", "8080"]
///     env = { PYTHONUNBUFFERED = "1" }
///     stdout = "null"
///     health = { http = "http://127.0.0.1:8080/", every = "5s" }
///     grace = "5s"
///     restart = { policy = "on_failure", max_restarts = 3, within = "1m" }
/// "#)?;
/// assert_eq!(file.process[0].id().as_str(), "web");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessConfig {
    pub(super) id: ProcessId,
    #[serde(deserialize_with = "text::one")]
    pub(super) command: OsString,
    #[serde(default, deserialize_with = "text::list")]
    pub(super) args: Vec<OsString>,
    #[serde(default, deserialize_with = "text::variables")]
    pub(super) env: BTreeMap<OsString, OsString>,
    #[serde(default, deserialize_with = "text::list")]
    pub(super) env_remove: Vec<OsString>,
    pub(super) env_clear: Option<bool>,
    pub(super) current_dir: Option<PathBuf>,
    pub(super) user: Option<String>,
    pub(super) group: Option<String>,
    pub(super) own_group: Option<bool>,
    pub(super) parent_death_signal: Option<bool>,
    pub(super) stdin: Option<Input>,
    pub(super) stdout: Option<Output>,
    pub(super) stderr: Option<Stderr>,
    pub(super) health: Option<HealthConfig>,
    #[serde(default, deserialize_with = "crate::quantity::duration::optional::deserialize")]
    pub(super) grace: Option<Duration>,
    #[serde(default, deserialize_with = "super::config_file::restart")]
    pub(super) restart: Option<Restart>,
    pub(super) limits: Option<ResourceLimits>,
    #[serde(default, deserialize_with = "crate::quantity::duration::optional::deserialize")]
    pub(super) sample_every: Option<Duration>,
    /// In percent of a core.
    pub(super) busy_above: Option<f64>,
    #[serde(default)]
    pub(super) depends: Vec<String>,
}

impl ProcessConfig {
    /// The process `id`, which runs the program `command`: a path, or a name that is looked for in the `PATH` that the process will have.
    ///
    /// The id becomes the name of a module, so one that lives has it in a system at a time.
    #[must_use]
    pub fn new(id: impl Into<ProcessId>, command: impl AsRef<OsStr>) -> Self {
        Self {
            id: id.into(),
            command: command.as_ref().to_owned(),
            args: Vec::new(),
            env: BTreeMap::new(),
            env_remove: Vec::new(),
            env_clear: None,
            current_dir: None,
            user: None,
            group: None,
            own_group: None,
            parent_death_signal: None,
            stdin: None,
            stdout: None,
            stderr: None,
            health: None,
            grace: None,
            restart: None,
            limits: None,
            sample_every: None,
            busy_above: None,
            depends: Vec::new(),
        }
    }

    /// What the process is called.
    #[must_use]
    pub fn id(&self) -> &ProcessId {
        &self.id
    }

    /// The program.
    #[must_use]
    pub fn command(&self) -> &OsStr {
        &self.command
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable of its environment. The others are those of this program, unless they are [cleared](Self::env_clear).
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Takes a variable of this program's out of its environment.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.env_remove.push(name.as_ref().to_owned());
        self
    }

    /// Whether its environment begins empty instead of with the variables of this program; else it does not.
    #[must_use]
    pub fn env_clear(mut self, clear: bool) -> Self {
        self.env_clear = Some(clear);
        self
    }

    /// Its working directory; else that of this program.
    #[must_use]
    pub fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.current_dir = Some(directory.as_ref().to_owned());
        self
    }

    /// The user that it runs as, by name or number, which takes root; else the one of this program. A name is looked for in `/etc/passwd`. Without a [group](Self::group) of its own it has the user's first; it
    /// has no supplementary groups. `HOME` and `USER` are left as they are.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// The group that it runs as, by name or number; a name is looked for in `/etc/group`.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Whether it leads a process group of its own; else it does.
    ///
    /// A signal, and so a stop, then reaches whatever the process starts too, as far as that stays in the group: what calls `setsid` or `setpgid`, as daemons do, has left it and is not ended with the process. Without a
    /// group of its own only the process itself is reached, and Ctrl-C in a terminal reaches it directly.
    #[must_use]
    pub fn own_group(mut self, own_group: bool) -> Self {
        self.own_group = Some(own_group);
        self
    }

    /// Whether it is killed when this program dies, however it does: `SIGKILL`, `std::process::exit`, a crash. Else it is, and with it its [group](Self::own_group).
    ///
    /// A program that is `setuid` cannot be told so: it is killed with the rest of its group, where it leads [one](Self::own_group) and has not become a user whom this program may not signal.
    #[must_use]
    pub fn parent_death_signal(mut self, killed: bool) -> Self {
        self.parent_death_signal = Some(killed);
        self
    }

    /// Where its standard input comes from; else there is none.
    #[must_use]
    pub fn stdin(mut self, stdin: Input) -> Self {
        self.stdin = Some(stdin);
        self
    }

    /// What becomes of its standard output; else it is logged.
    #[must_use]
    pub fn stdout(mut self, stdout: Output) -> Self {
        self.stdout = Some(stdout);
        self
    }

    /// What becomes of its standard error; else it is logged, and its last lines are kept.
    #[must_use]
    pub fn stderr(mut self, stderr: Stderr) -> Self {
        self.stderr = Some(stderr);
        self
    }

    /// How it is found out whether it is well; else it is while it runs.
    #[must_use]
    pub fn health(mut self, health: HealthConfig) -> Self {
        self.health = Some(health);
        self
    }

    /// How long it has to end after `SIGTERM`; then `SIGKILL` ends it. Else 30 s.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Whether, how often and after which delays it is started again when it ends by itself. Else it is not.
    ///
    /// An exit with 0 is a normal end, everything else a failure: [`Restart::on_failure`] does not start what exited with 0 again, [`Restart::always`] does. What was [stopped](super::ProcessHandle::stop) is never started
    /// again. What fails more often than is allowed has failed for good, and [its supervisor with it](crate::Register::restart).
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = Some(restart);
        self
    }

    /// What it may use; else what the operating system gives it. Each limit that is not set is taken from the configuration of its manager.
    #[must_use]
    pub fn limits(mut self, limits: ResourceLimits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// How often it is looked at, to see what it [uses](super::ResourceUsage) and whether it keeps its limits; else every second. What is shorter than 10 ms is taken as that, and what is longer than a year as a year.
    ///
    /// A look takes about 30 µs for each process of the group, on a thread where it may block. To know which processes are in a group all of the machine are listed, about 2 ms for 1,000; all groups share that list, and it takes
    /// no more than 1 % of a core.
    #[must_use]
    pub fn sample_every(mut self, period: Duration) -> Self {
        self.sample_every = Some(period);
        self
    }

    /// How much CPU time, in percent of one core between two looks, makes it [`Busy`](super::ProcessStatus::Busy) and not `Idle`; else 5.
    #[must_use]
    pub fn busy_above(mut self, percent: f64) -> Self {
        self.busy_above = Some(percent);
        self
    }

    /// What must run before it is spawned, and is stopped after it: the id of another process, the name of a module, or a capability, as [`Register::depends_on`](crate::Register::depends_on) takes it.
    #[must_use]
    pub fn depends_on(mut self, dependency: impl Into<String>) -> Self {
        self.depends.push(dependency.into());
        self
    }

    /// What this one depends on.
    #[must_use]
    pub fn dependencies(&self) -> &[String] {
        &self.depends
    }

    /// Depends on nothing any more: for whoever sees to the order itself, as where the one that must have run before has ended by then.
    #[must_use]
    pub fn without_dependencies(mut self) -> Self {
        self.depends.clear();
        self
    }

    /// With what `defaults` says, where this one does not say it.
    pub(super) fn or(mut self, defaults: &Self) -> Self {
        let mut env = defaults.env.clone();
        for name in &self.env_remove {
            env.remove(name);
        }
        env.append(&mut self.env);
        self.env = env;
        let removed = defaults.env_remove.iter().filter(|name| !self.env.contains_key(*name)).cloned();
        self.env_remove.extend(removed);
        self.env_clear = self.env_clear.or(defaults.env_clear);
        self.current_dir = self.current_dir.or_else(|| defaults.current_dir.clone());
        self.user = self.user.or_else(|| defaults.user.clone());
        self.group = self.group.or_else(|| defaults.group.clone());
        self.own_group = self.own_group.or(defaults.own_group);
        self.parent_death_signal = self.parent_death_signal.or(defaults.parent_death_signal);
        self.stdin = self.stdin.or(defaults.stdin);
        self.stdout = self.stdout.or_else(|| defaults.stdout.clone());
        self.stderr = self.stderr.or(defaults.stderr);
        self.health = self.health.or_else(|| defaults.health.clone());
        self.grace = self.grace.or(defaults.grace);
        self.restart = self.restart.or(defaults.restart);
        self.limits = match (self.limits, defaults.limits) {
            (Some(own), Some(defaults)) => Some(own.or(defaults)),
            (own, defaults) => own.or(defaults),
        };
        self.sample_every = self.sample_every.or(defaults.sample_every);
        self.busy_above = self.busy_above.or(defaults.busy_above);
        self
    }

    /// A program that is run to find out about this one, in its surroundings.
    pub(super) fn for_probe(&self, program: &str, args: &[String]) -> Self {
        Self {
            args: args.iter().map(OsString::from).collect(),
            command: program.into(),
            own_group: Some(true),
            stdin: None,
            stdout: Some(Output::Null),
            // For its last words.
            stderr: Some(Stderr::Log),
            parent_death_signal: Some(true),
            health: None,
            // They are for the process, and may be too tight for what looks after it.
            limits: None,
            ..self.clone()
        }
    }

    /// That there is a command at all.
    pub(super) fn check_command(&self) -> ProcessResult<()> {
        if self.command.is_empty() {
            let reason = "is empty: name a program, with `ProcessConfig::new(id, command)`".to_owned();
            return Err(ProcessError::Setting { id: self.id.clone(), setting: "command", reason });
        }
        Ok(())
    }

    /// That its health can be found out.
    pub(super) fn check_health(&self) -> ProcessResult<()> {
        let Some(health) = &self.health else { return Ok(()) };
        let possible = probe::check(health.probe()).and_then(|()| self.wiring().check().map_err(str::to_owned));
        possible.map_err(|reason| ProcessError::Setting { id: self.id.clone(), setting: "health", reason })
    }

    /// When its health is checked; never, where nothing is said of it.
    pub(super) fn health_schedule(&self) -> HealthSchedule {
        let never = HealthSchedule { every: Duration::MAX, ..HealthSchedule::DEFAULT };
        self.health.as_ref().map_or(never, HealthConfig::schedule)
    }

    /// Where its streams come from and go to.
    pub(super) fn wiring(&self) -> Wiring {
        let (stdin, stdout, stderr) = (self.stdin, self.stdout.clone(), self.stderr);
        Wiring::new(
            stdin.unwrap_or_default(),
            stdout.unwrap_or_default(),
            stderr.unwrap_or_default(),
            self.health.as_ref(),
        )
    }

    pub(super) fn has_own_group(&self) -> bool {
        self.own_group.unwrap_or(true)
    }

    pub(super) fn dies_with_parent(&self) -> bool {
        self.parent_death_signal.unwrap_or(true)
    }

    pub(super) fn grace_or_default(&self) -> Duration {
        self.grace.unwrap_or(DEFAULT_GRACE)
    }
}

impl Default for ProcessConfig {
    /// Says nothing: the defaults of a [`ProcessManager`](super::ProcessManager). Its id, its command, its arguments and its dependencies are nobody's.
    fn default() -> Self {
        Self::new("", "")
    }
}

/// Texts of the operating system, which in files are texts.
mod text {
    use std::collections::BTreeMap;
    use std::ffi::OsString;

    use serde::{Deserialize, Deserializer};

    pub(super) fn one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OsString, D::Error> {
        String::deserialize(deserializer).map(OsString::from)
    }

    pub(super) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<OsString>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        Ok(texts.into_iter().map(OsString::from).collect())
    }

    pub(super) fn variables<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<OsString, OsString>, D::Error> {
        let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(texts.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}
