//! What the texts of a configuration stand for: its directory, its user and group, its program.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::account::{self, GROUPS, USERS};
use super::config::ProcessConfig;
use super::error::{ProcessError, ProcessResult};

/// Where the C library looks for a program where there is no `PATH`.
const WITHOUT_PATH: &str = if cfg!(target_env = "musl") { "/usr/local/bin:/bin:/usr/bin" } else { "/bin:/usr/bin" };

/// That there is such a directory: the error of `spawn` would not say what it is that is missing.
pub(super) fn enter(directory: &Path) -> io::Result<()> {
    if fs::metadata(directory)?.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// The numbers of its user and its group.
pub(super) fn accounts(config: &ProcessConfig) -> ProcessResult<(Option<u32>, Option<u32>)> {
    let id = || config.id.clone();
    let (mut uid, mut gid) = (None, None);
    if let Some(name) = &config.user {
        let unknown = || ProcessError::UnknownUser { id: id(), user: name.clone(), database: USERS.into() };
        let user = account::user(name).ok_or_else(unknown)?;
        (uid, gid) = (Some(user.uid), user.gid);
    }
    if let Some(name) = &config.group {
        let unknown = || ProcessError::UnknownGroup { id: id(), group: name.clone(), database: GROUPS.into() };
        gid = Some(account::group(name).ok_or_else(unknown)?);
    }
    Ok((uid, gid))
}

/// Whether the program is looked for in the directories of `PATH`.
pub(super) fn is_searched(command: &OsStr) -> bool {
    !command.as_bytes().contains(&b'/')
}

/// The `PATH` that the program is looked for in: the one that the process will have.
pub(super) fn search_path(config: &ProcessConfig) -> String {
    let name = OsStr::new("PATH");
    let inherits = !config.env_clear.unwrap_or(false) && !config.env_remove.iter().any(|removed| removed == name);
    let own = config.env.get(name).cloned();
    let path = own.or_else(|| if inherits { env::var_os(name) } else { None });
    path.map_or_else(|| WITHOUT_PATH.to_owned(), |path| path.to_string_lossy().into_owned())
}

/// The program as a path, as far as that is known.
pub(super) fn program(config: &ProcessConfig) -> PathBuf {
    let command = Path::new(&config.command);
    if is_searched(&config.command) {
        let path = search_path(config);
        let found = env::split_paths(&path).map(|directory| directory.join(command)).find(|file| file.is_file());
        return found.unwrap_or_else(|| command.to_owned());
    }
    match &config.current_dir {
        Some(directory) if command.is_relative() => directory.join(command),
        _ => command.to_owned(),
    }
}
