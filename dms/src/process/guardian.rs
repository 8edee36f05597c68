//! A small process beside this program that outlives it by a moment: it kills the process groups that this program leaves behind.
//!
//! The parent-death signal ends the processes that were spawned here. What *they* have started would live on, when this program is killed with `SIGKILL` or calls `std::process::exit`. So there is, from the first process with
//! a group of its own on, one `/bin/sh` per program that reads from a pipe which groups there are. Only this program has the other end; whatever ends the program closes it, and then the guardian kills what is left.
//!
//! A process that this program spawns is in the list a moment after it runs: what it starts in that moment, and only if this program dies in it, may survive.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};

use parking_lot::Mutex;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::Pid;

/// Keeps a list of groups by what it reads, and kills those that are left at the end of it. Signals that are meant for a terminal's programs are not for it.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM TSTP TTIN TTOU
groups=' '
while read -r change group; do
    case $change in
        +) groups="$groups$group " ;;
        -) groups="${groups%%" $group "*} ${groups#*" $group "}" ;;
    esac
done
for group in $groups; do
    kill -s KILL -- "-$group"
done
"#;

static GUARDIAN: Mutex<Guardian> = Mutex::new(Guardian { groups: BTreeSet::new(), shell: None, warned: false });

struct Guardian {
    /// The groups that it knows, or is to know.
    groups: BTreeSet<i32>,
    shell: Option<Shell>,
    /// Whether it has been said that there is none.
    warned: bool,
}

struct Shell {
    process: Child,
    list: ChildStdin,
}

/// Has the group of this leader killed when this program ends.
pub(super) fn watch(leader: Pid) {
    let mut guardian = GUARDIAN.lock();
    guardian.groups.insert(leader.as_raw_pid());
    guardian.tell('+', leader);
}

/// Leaves the group alone from now on. Called before its leader is reaped: after that the number may be another's.
pub(super) fn forget(leader: Pid) {
    let mut guardian = GUARDIAN.lock();
    if guardian.groups.remove(&leader.as_raw_pid()) {
        guardian.tell('-', leader);
    }
}

impl Guardian {
    fn tell(&mut self, change: char, leader: Pid) {
        let line = format!("{change} {}\n", leader.as_raw_pid());
        if self.shell.as_mut().is_some_and(|shell| shell.tell(line.as_bytes()).is_ok()) {
            return;
        }
        // There is none, or somebody has ended it.
        self.shell = None;
        if self.groups.is_empty() {
            return;
        }
        let lines: Vec<_> = self.groups.iter().map(|group| format!("+ {group}\n")).collect();
        let list = lines.concat();
        match Shell::start(list.as_bytes()) {
            Ok(shell) => self.shell = Some(shell),
            Err(error) => {
                if !self.warned {
                    self.warned = true;
                    tracing::warn!(%error, "no guardian: what processes start may survive this program if it is killed");
                }
            }
        }
    }
}

impl Shell {
    fn start(list: &[u8]) -> io::Result<Self> {
        let mut process = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "dms-guardian"])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let Some(list_end) = process.stdin.take() else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let mut shell = Self { process, list: list_end };
        // At first the pipe may be as full as it likes to be; nobody reads faster than a list is sent.
        shell.list.write_all(list)?;
        let flags = fcntl_getfl(&shell.list)?;
        fcntl_setfl(&shell.list, flags | OFlags::NONBLOCK)?;
        Ok(shell)
    }

    /// One line, whole or not at all: it is shorter than what a pipe takes in one.
    fn tell(&mut self, line: &[u8]) -> io::Result<()> {
        if self.process.try_wait()?.is_some() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.list.write_all(line)
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // Before its list ends: it is not to kill what another one looks after now.
        if self.process.kill().is_ok() {
            let _ = self.process.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    /// A process that leads a group, and goes with the test however that ends.
    struct Sleeper(Child);

    impl Sleeper {
        fn new() -> Self {
            let mut sleep = Command::new("sleep");
            sleep.arg("600").stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
            Self(sleep.spawn().expect("there is a `sleep`"))
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn at_the_end_of_its_list_it_kills_the_groups_that_are_left() {
        let (mut first, mut forgotten, mut second) = (Sleeper::new(), Sleeper::new(), Sleeper::new());
        let mut shell = Shell::start(format!("+ {}\n", first.0.id()).as_bytes()).expect("there is a shell");
        shell.tell(format!("+ {}\n", forgotten.0.id()).as_bytes()).expect("it reads");
        shell.tell(format!("+ {}\n", second.0.id()).as_bytes()).expect("it reads");
        shell.tell(format!("- {}\n", forgotten.0.id()).as_bytes()).expect("it reads");
        // What ends this program closes the list.
        let (read, write) = io::pipe().expect("a pipe");
        drop(read);
        drop(std::mem::replace(&mut shell.list, std::os::fd::OwnedFd::from(write).into()));
        for left in [&mut first, &mut second] {
            assert_eq!(left.0.wait().expect("it is ours").signal(), Some(9));
        }
        assert!(shell.process.wait().expect("it is ours").success());
        assert!(forgotten.0.try_wait().expect("it is ours").is_none(), "it lives");
    }
}
