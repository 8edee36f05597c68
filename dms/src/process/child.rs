//! One process of the operating system, from the moment when it runs to the one when nothing is left of it.
//!
//! A process that has ended stays a *zombie* until its parent has asked how: it is *reaped* then. Until then its number, which is also that of the group that it leads, belongs to nobody else. So its end is seen without reaping it (a
//! *pidfd* becomes readable); then what is left of its group is killed; then it is reaped. No signal is sent by number after that.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::process::ExitStatus;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use process_wrap::std::ChildWrapper;
use rustix::io::Errno;
use rustix::process::{
    Pid, WaitId, WaitIdOptions, kill_process_group, pidfd_send_signal, test_kill_process_group, waitid,
};
use tokio::net::unix::pipe::Receiver;
use tokio::time::sleep;

use super::guardian;
#[cfg(any(target_os = "linux", target_os = "android"))]
use super::proc::{Member, members_now};
use super::signal::Signal;
use super::spawn::bury_later;

/// How long it is waited for that what was killed is gone.
const GONE_WITHIN: Duration = Duration::from_secs(1);

/// A process that was spawned, and what it leads. Where it is dropped before it has ended, all of it is killed, and reaped in the background.
pub(super) struct Leader {
    pid: Pid,
    /// Whether it leads a group of its own.
    grouped: bool,
    /// Becomes readable when it ends.
    end: Option<OwnedFd>,
    /// `None` once it is reaped, or is with those who do.
    wrapped: Option<Box<dyn ChildWrapper>>,
}

impl Leader {
    pub(super) fn new(pid: Pid, grouped: bool, wrapped: Box<dyn ChildWrapper>) -> Self {
        Self { pid, grouped, end: None, wrapped: Some(wrapped) }
    }

    /// Notes what becomes readable when it ends.
    pub(super) fn set_end(&mut self, end: OwnedFd) {
        self.end = Some(end);
    }

    /// Kills what is left of the group: nothing, where the leader had not started anything that lives.
    fn kill_group(&self) {
        if self.grouped {
            // There is none left; or one that has become another user's, which is not for us to end.
            let _ = kill_process_group(self.pid, Signal::KILL.raw());
        }
    }

    /// How it ended, where it has; then nothing is left of it.
    pub(super) fn try_bury(&mut self) -> io::Result<Option<ExitStatus>> {
        let Some(wrapped) = &mut self.wrapped else { return Err(Errno::CHILD.into()) };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        if waitid(WaitId::Pid(self.pid), options)?.is_none() {
            return Ok(None);
        }
        if self.grouped {
            let _ = kill_process_group(self.pid, Signal::KILL.raw());
            guardian::forget(self.pid);
        }
        let status = wrapped.wait();
        self.wrapped = None;
        status.map(Some)
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if self.wrapped.is_none() {
            return;
        }
        self.kill_group();
        if let Some(wrapped) = &mut self.wrapped {
            let _ = wrapped.start_kill();
        }
        let end = self.end.take();
        bury_later(Self { pid: self.pid, grouped: self.grouped, end, wrapped: self.wrapped.take() });
    }
}

/// A process whose end a task can wait for.
pub(super) struct Child {
    pid: Pid,
    since: Instant,
    /// When it was asked to end.
    asked: OnceLock<Instant>,
    /// Becomes readable when it ends. A pidfd and no pipe: a `Receiver` is what Tokio has for any descriptor that is only waited for.
    end: Receiver,
    /// `None` once it is reaped. Held while a signal is sent: the number is this process's until then.
    leader: Mutex<Option<Leader>>,
}

impl Child {
    /// In a runtime, which has its I/O driver.
    pub(super) fn new(mut leader: Leader) -> io::Result<Self> {
        let end = leader.end.take().ok_or(Errno::BADF)?;
        let end = Receiver::from_owned_fd_unchecked(end)?;
        Ok(Self {
            pid: leader.pid,
            since: Instant::now(),
            asked: OnceLock::new(),
            end,
            leader: Mutex::new(Some(leader)),
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid.as_raw_pid().unsigned_abs()
    }

    /// The same, as system calls take it.
    pub(super) fn number(&self) -> Pid {
        self.pid
    }

    /// When it was spawned.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// The number of the group that it leads; `None` where it is in this program's.
    pub(super) fn group(&self) -> Option<Pid> {
        self.leader.lock().as_ref().filter(|leader| leader.grouped).map(|leader| leader.pid)
    }

    /// Sends a signal, to its group where it leads one; false where it has been reaped.
    pub(super) fn signal(&self, signal: Signal) -> io::Result<bool> {
        let leader = self.leader.lock();
        let Some(leader) = &*leader else { return Ok(false) };
        let sent = if leader.grouped {
            kill_process_group(leader.pid, signal.raw())
        } else {
            pidfd_send_signal(&self.end, signal.raw())
        };
        match sent {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks it to end, once; gives when that was.
    pub(super) fn ask_to_end(&self) -> io::Result<Instant> {
        if self.asked.get().is_none() {
            self.signal(Signal::TERM)?;
            // What is halted hears nothing.
            self.signal(Signal::CONT)?;
        }
        Ok(*self.asked.get_or_init(Instant::now))
    }

    /// Whether it was asked to end.
    pub(super) fn is_asked_to_end(&self) -> bool {
        self.asked.get().is_some()
    }

    /// Waits until it has ended; it is not reaped by that.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn ended(&self) -> io::Result<()> {
        loop {
            self.end.readable().await?;
            let has_ended = || if self.has_ended()? { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) };
            match self.end.try_io(has_ended) {
                // Woken for nothing.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                ended => return ended,
            }
        }
    }

    fn has_ended(&self) -> io::Result<bool> {
        let leader = self.leader.lock();
        if leader.is_none() {
            return Ok(true);
        }
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(self.pid), options)?.is_some())
    }

    /// Kills what is left of the group of one that has ended, and reaps it.
    pub(super) fn bury(&self) -> io::Result<ExitStatus> {
        let mut place = self.leader.lock();
        let status = place.as_mut().ok_or(Errno::CHILD)?.try_bury();
        match status {
            Ok(Some(status)) => {
                *place = None;
                Ok(status)
            }
            Ok(None) => Err(io::ErrorKind::WouldBlock.into()),
            Err(error) => Err(error),
        }
    }

    /// Waits, not for long, until nothing of its group lives, once it has been buried.
    pub(super) async fn gone(&self) {
        let since = Instant::now();
        let mut pause = Duration::from_millis(1);
        // What was killed takes a moment to go.
        while test_kill_process_group(self.pid).is_ok() && has_living(self.pid) && since.elapsed() < GONE_WITHIN {
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }
}

/// Whether a process of the group lives. A zombie of which another one is the parent stays for as long as that likes.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn has_living(group: Pid) -> bool {
    let mut buffer = Vec::new();
    let mut lives = |pid| Member::read(pid, &mut buffer).ok().flatten().is_some_and(|member| !member.has_ended);
    members_now(group).is_ok_and(|members| members.into_iter().any(&mut lives))
}

/// Whether a process of the group may live.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn has_living(_: Pid) -> bool {
    true
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("pid", &self.pid).finish_non_exhaustive()
    }
}
