//! How a process is spawned.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use std::sync::Arc;

use process_wrap::std::{CommandWrap, ProcessGroup};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};
use tokio::sync::oneshot;

use super::child::Leader;
use super::config::ProcessConfig;
use super::error::{ProcessError, ProcessResult};
use super::fork::{self, BeforeExec};
use super::guardian;
use super::interpreter;
use super::lookup::{accounts, enter, is_searched, program, search_path};
use super::rlimit::rlimits;
use super::spawners;

/// A process that runs, with this program's ends of its pipes.
pub(super) struct Spawned {
    pub(super) leader: Leader,
    pub(super) pipes: Pipes,
}

/// This program's ends of what is piped; blocking ones.
#[derive(Debug)]
pub(super) struct Pipes {
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: Option<ChildStdout>,
    pub(super) stderr: Option<ChildStderr>,
}

/// Spawns the process.
///
/// # Cancel safety
/// What is spawned for nobody is killed.
pub(super) async fn spawn(config: &ProcessConfig) -> ProcessResult<Spawned> {
    let failed = |source| not_spawned(config, source);
    let (reply, spawned) = oneshot::channel();
    let of = config.clone();
    spawners::submit((&config.command).into(), move || drop(reply.send(spawn_here(&of)))).map_err(failed)?;
    match spawned.await {
        Ok(spawned) => spawned,
        Err(_) => Err(failed(io::Error::other("the thread that spawns processes panicked"))),
    }
}

/// That the end of a process can be waited for here, before there is one that has to be ended for that.
fn can_wait(config: &ProcessConfig) -> ProcessResult<()> {
    match pidfd_open(getpid(), PidfdFlags::empty()) {
        Ok(_) => Ok(()),
        Err(error) => Err(no_pidfd(config, error)),
    }
}

fn no_pidfd(config: &ProcessConfig, error: Errno) -> ProcessError {
    match error {
        Errno::NOSYS | Errno::PERM | Errno::INVAL => {
            let what = "`pidfd_open`: it takes Linux 5.3, and a sandbox that does not forbid it";
            ProcessError::Unsupported { id: config.id.clone(), what }
        }
        error => not_spawned(config, error.into()),
    }
}

/// Spawns the process as a child of this thread.
fn spawn_here(config: &ProcessConfig) -> ProcessResult<Spawned> {
    can_wait(config)?;
    let mut command = Command::new(&config.command);
    command.args(&config.args);
    if config.env_clear.unwrap_or(false) {
        command.env_clear();
    }
    for name in &config.env_remove {
        command.env_remove(name);
    }
    command.envs(&config.env);
    if let Some(directory) = &config.current_dir {
        enter(directory).map_err(|source| bad_directory(config, directory, source))?;
        command.current_dir(directory);
    }
    become_user(&mut command, config)?;
    let [stdin, stdout, stderr] = config.wiring().stdio();
    command.stdin(stdin).stdout(stdout).stderr(stderr);
    let dies_with = config.dies_with_parent().then(getpid);
    fork::arm(&mut command, BeforeExec { dies_with, limits: rlimits(&config.limits.unwrap_or_default()) });

    let mut command = CommandWrap::from(command);
    if config.has_own_group() {
        command.wrap(ProcessGroup::leader());
    }
    let mut wrapped = command.spawn().map_err(|source| refused(config, source))?;
    let pipes =
        Pipes { stdin: wrapped.stdin().take(), stdout: wrapped.stdout().take(), stderr: wrapped.stderr().take() };
    let failed = |source| not_spawned(config, source);
    let number = i32::try_from(wrapped.id()).ok().and_then(Pid::from_raw);
    let pid = number.ok_or_else(|| failed(io::Error::other("the operating system gave a pid that is none")))?;
    let mut leader = Leader::new(config.id.clone(), pid, config.has_own_group(), wrapped);
    if config.has_own_group() && config.dies_with_parent() {
        guardian::watch(pid);
    }
    // Also where it has ended by now: nobody has reaped it.
    leader.set_end(pidfd_open(pid, PidfdFlags::empty()).map_err(|error| failed(error.into()))?);
    Ok(Spawned { leader, pipes })
}

fn become_user(command: &mut Command, config: &ProcessConfig) -> ProcessResult<()> {
    let (uid, gid) = accounts(config)?;
    if let Some(uid) = uid {
        command.uid(uid);
    }
    if let Some(gid) = gid {
        command.gid(gid);
    }
    Ok(())
}

/// What the operating system meant, which has one number for many reasons.
fn refused(config: &ProcessConfig, source: io::Error) -> ProcessError {
    if let Some(directory) = &config.current_dir
        && enter(directory).is_err()
    {
        return bad_directory(config, directory, source);
    }
    let (id, program, kind) = (config.id.clone(), program(config), source.kind());
    let is_not_permitted = source.raw_os_error() == Some(Errno::PERM.raw_os_error());
    let source = Arc::new(source);
    match kind {
        io::ErrorKind::NotFound => {
            if let Some(interpreter) = interpreter::missing(&program) {
                return ProcessError::InterpreterNotFound { id, program, interpreter };
            }
            let searched = is_searched(&config.command).then(|| search_path(config));
            ProcessError::ProgramNotFound { id, program, searched }
        }
        io::ErrorKind::PermissionDenied if is_not_permitted && (config.user.is_some() || config.group.is_some()) => {
            ProcessError::User { id, program, source }
        }
        io::ErrorKind::PermissionDenied if is_not_permitted => ProcessError::Spawn { id, program, source },
        io::ErrorKind::PermissionDenied => ProcessError::NotExecutable { id, program, source },
        io::ErrorKind::InvalidInput => {
            let reason = "has a zero byte in it, or is empty; the operating system takes neither".to_owned();
            ProcessError::Setting { id, setting: "command, arguments or environment", reason }
        }
        _ => ProcessError::Spawn { id, program, source },
    }
}

fn not_spawned(config: &ProcessConfig, source: io::Error) -> ProcessError {
    let program = (&config.command).into();
    ProcessError::Spawn { id: config.id.clone(), program, source: Arc::new(source) }
}

fn bad_directory(config: &ProcessConfig, directory: &Path, source: io::Error) -> ProcessError {
    ProcessError::Directory { id: config.id.clone(), directory: directory.to_owned(), source: Arc::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_permitted_blames_the_user_only_where_one_is_set() {
        let refused = |config: &ProcessConfig| refused(config, Errno::PERM.into());
        let config = ProcessConfig::new("job", "true");
        assert!(matches!(refused(&config), ProcessError::Spawn { .. }));
        assert!(matches!(refused(&config.user("root")), ProcessError::User { .. }));
    }

    #[test]
    fn a_system_without_pidfds_is_not_supported() {
        let config = ProcessConfig::new("job", "true");
        for error in [Errno::NOSYS, Errno::PERM] {
            assert!(matches!(no_pidfd(&config, error), ProcessError::Unsupported { .. }));
        }
        assert!(matches!(no_pidfd(&config, Errno::MFILE), ProcessError::Spawn { .. }));
    }
}
