//! What runs in the child, between fork and exec: the one place of this crate with `unsafe`.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, Signal, getppid, set_parent_process_death_signal, setrlimit};

/// What the child does before it becomes the program. All of it is made before the fork.
#[derive(Debug, Default)]
pub(super) struct BeforeExec {
    /// The parent with which the child is to die: this program.
    pub(super) dies_with: Option<Pid>,
    /// What the operating system is to hold the program to.
    pub(super) limits: Vec<(Resource, Rlimit)>,
}

impl BeforeExec {
    /// Runs in the child: three kinds of system call and nothing else, no allocation, no lock.
    fn run(&self) -> io::Result<()> {
        if let Some(parent) = self.dies_with {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // The parent may have died before it could have been noticed.
            if getppid() != Some(parent) {
                return Err(Errno::SRCH.into());
            }
        }
        for (resource, limit) in &self.limits {
            setrlimit(*resource, *limit)?;
        }
        Ok(())
    }
}

/// Has the children of `command` do `before_exec`, after they have got their group, user and working directory.
#[expect(unsafe_code, reason = "`pre_exec` runs code in a fork of a program that has other threads")]
pub(super) fn arm(command: &mut Command, before_exec: BeforeExec) {
    // SAFETY: between fork and exec only async-signal-safe functions may be called, and memory that other threads may have held locked, such as the allocator's, must not be used.
    // `BeforeExec::run` makes the system calls `prctl`, `getppid` and `setrlimit` (rustix makes them directly, without libc's caches or locks), reads a vector that was filled before the fork and that the
    // child has its own copy of, and makes an `io::Error` of an error number, which takes no allocation. It does not panic, and drops nothing that owns memory.
    unsafe {
        command.pre_exec(move || before_exec.run());
    }
}
