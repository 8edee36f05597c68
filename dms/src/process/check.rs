//! What would keep a process from being spawned, as far as that can be seen before.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::config::ProcessConfig;
use super::error::{ProcessError, ProcessResult};
use super::interpreter;
use super::lookup::{accounts, enter, is_searched, search_path};
use super::monitor;

impl ProcessConfig {
    /// Looks whether the process could be spawned as things are now, and spawns nothing: whether its program is there and may be run, its working directory may be entered, its user and group are known, its health can be found out, and this platform has what its limits take.
    ///
    /// What is read from a file is so found wrong before anything of it runs. That the spawn itself goes well is not said with it: a program may go meanwhile, and whether this program may run another as that user only shows then.
    ///
    /// ```
    /// use dms::process::{ProcessConfig, ProcessError};
    ///
    /// assert!(ProcessConfig::new("shell", "sh").check().is_ok());
    /// let error = ProcessConfig::new("web", "/opt/nothing").check().unwrap_err();
    /// assert!(matches!(error, ProcessError::ProgramNotFound { .. }), "{error}");
    /// ```
    ///
    /// # Errors
    /// [`ProgramNotFound`](ProcessError::ProgramNotFound), [`InterpreterNotFound`](ProcessError::InterpreterNotFound), [`NotExecutable`](ProcessError::NotExecutable), [`Directory`](ProcessError::Directory), [`UnknownUser`](ProcessError::UnknownUser),
    /// [`UnknownGroup`](ProcessError::UnknownGroup), [`Setting`](ProcessError::Setting), [`Unsupported`](ProcessError::Unsupported): the first of them.
    pub fn check(&self) -> ProcessResult<()> {
        let id = || self.id.clone();
        if let Some(directory) = &self.current_dir {
            enter(directory).and_then(|()| Ok(access(directory, Access::EXEC_OK)?)).map_err(|source| {
                ProcessError::Directory { id: id(), directory: directory.clone(), source: source.into() }
            })?;
        }
        accounts(self)?;
        self.check_command()?;
        self.check_health()?;
        monitor::check(self)?;
        let searched = is_searched(&self.command).then(|| search_path(self));
        let mut refused = None;
        for program in self.candidates(searched.as_deref()) {
            match run(&program) {
                Ok(()) => {
                    let Some(interpreter) = interpreter::missing(&program) else { return Ok(()) };
                    return Err(ProcessError::InterpreterNotFound { id: id(), program, interpreter });
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(error) => drop(refused.get_or_insert((program, error))),
            }
        }
        Err(match refused {
            Some((program, source)) => ProcessError::NotExecutable { id: id(), program, source: source.into() },
            None => ProcessError::ProgramNotFound { id: id(), program: self.in_its_directory(&self.command), searched },
        })
    }

    /// The files that may be the program, in the order in which they are tried.
    fn candidates(&self, searched: Option<&str>) -> Vec<PathBuf> {
        let Some(path) = searched else { return vec![self.in_its_directory(&self.command)] };
        std::env::split_paths(path).map(|directory| self.in_its_directory(directory.join(&self.command))).collect()
    }

    /// The path as it is in the process's working directory; a name without a directory as it is.
    fn in_its_directory(&self, path: impl AsRef<OsStr>) -> PathBuf {
        let path = Path::new(path.as_ref());
        match &self.current_dir {
            Some(directory) if !is_searched(path.as_os_str()) => directory.join(path),
            _ => path.to_owned(),
        }
    }
}

/// That there is such a program.
fn run(program: &Path) -> io::Result<()> {
    if !program.metadata()?.is_file() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(access(program, Access::EXEC_OK)?)
}
