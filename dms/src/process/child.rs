//! One process of the operating system, from the moment when it runs to the one when nothing is left of it.
//!
//! A process that has ended stays a *zombie* until its parent has asked how: it is *reaped* then. Until then its number, which is also that of the group that it leads, belongs to nobody else. So its end is seen without reaping it (a
//! *pidfd* becomes readable); then what is left of its group is killed; then it is reaped. No signal is sent by number after that.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitStatus;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use process_wrap::std::ChildWrapper;
use rustix::io::Errno;
use rustix::process::{
    Pid, WaitId, WaitIdOptions, kill_process_group, pidfd_send_signal, test_kill_process_group, waitid,
};
use tokio::net::unix::pipe::Receiver;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::graves::{self, Grave};
use super::guardian;
use super::id::ProcessId;
use super::proc::{Member, members_now};
use super::signal::Signal;

/// How long it is waited for that what was killed is gone.
const GONE_WITHIN: Duration = Duration::from_secs(1);

/// A process that was spawned, and what it leads. Where it is dropped before it has ended, all of it is killed, and reaped in the background.
pub(super) struct Leader {
    id: ProcessId,
    pid: Pid,
    /// Whether it leads a group of its own.
    grouped: bool,
    /// Becomes readable when it ends.
    end: Option<OwnedFd>,
    /// `None` once it is reaped, or is with those who do.
    child: Option<Box<dyn ChildWrapper>>,
}

impl Leader {
    pub(super) fn new(id: ProcessId, pid: Pid, grouped: bool, wrapped: Box<dyn ChildWrapper>) -> Self {
        // The wrapper that made the group would wait until each process of it is reaped, for as long as that takes.
        let child = if grouped { wrapped.into_inner() } else { wrapped };
        Self { id, pid, grouped, end: None, child: Some(child) }
    }

    /// Notes what becomes readable when it ends.
    pub(super) fn set_end(&mut self, end: OwnedFd) {
        self.end = Some(end);
    }

    /// Whether it has ended; it is not reaped by that.
    ///
    /// Where somebody else has reaped it, that is an error, and its number is let go of: it may be another's by now.
    fn has_ended(&mut self) -> io::Result<bool> {
        if self.child.is_none() {
            return Err(Errno::CHILD.into());
        }
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.pid), options) {
            Ok(ended) => Ok(ended.is_some()),
            Err(error) => {
                if error == Errno::CHILD {
                    self.child = None;
                    self.forget();
                }
                Err(error.into())
            }
        }
    }

    /// Has the guardian leave the group alone.
    fn forget(&self) {
        if self.grouped {
            guardian::forget(self.pid);
        }
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
        if !self.has_ended()? {
            return Ok(None);
        }
        self.kill_group();
        self.forget();
        let mut child = self.child.take().ok_or(Errno::CHILD)?;
        let status = child.wait()?;
        if self.grouped {
            graves::adopt(&self.id, self.pid);
        }
        Ok(Some(status))
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        // Where it has been reaped, its number says nothing.
        if self.has_ended().is_err() && self.child.is_none() {
            return;
        }
        self.kill_group();
        if let Some(child) = &mut self.child {
            let _ = child.start_kill();
        }
        let (id, pid, grouped, child) = (self.id.clone(), self.pid, self.grouped, self.child.take());
        let mut leader = Self { id: id.clone(), pid, grouped, end: None, child };
        graves::dig(Grave::new(id, pid, self.end.take(), move || !matches!(leader.try_bury(), Ok(None))));
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
        let mut leader = self.leader.lock();
        let Some(leader) = &mut *leader else { return Ok(false) };
        // Somebody else may have reaped it.
        if leader.has_ended().is_err() {
            return Ok(false);
        }
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

    /// Whether it has ended; it is not reaped by that.
    pub(super) fn has_ended(&self) -> io::Result<bool> {
        self.leader.lock().as_mut().map_or(Ok(true), Leader::has_ended)
    }

    /// Has `tell` told how it ended, whenever it does.
    pub(super) fn bury_later(self: Arc<Self>, id: &ProcessId, tell: impl FnOnce(ExitStatus) + Send + 'static) {
        let end = self.end.as_fd().try_clone_to_owned().ok();
        let (pid, mut tell) = (self.pid, Some(tell));
        graves::dig(Grave::new(id.clone(), pid, end, move || match self.bury() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            buried => {
                if let (Ok(status), Some(tell)) = (buried, tell.take()) {
                    tell(status);
                }
                true
            }
        }));
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
        // One look may miss who comes while it is taken, so two are needed.
        let mut unseen = 0;
        while unseen < 2 && since.elapsed() < GONE_WITHIN && test_kill_process_group(self.pid).is_ok() {
            let group = self.pid;
            #[expect(clippy::disallowed_methods, reason = "joined at once; where that is cut off, it ends by itself")]
            let lives = spawn_blocking(move || has_living(group)).await.unwrap_or(false);
            if lives {
                unseen = 0;
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(20));
            } else {
                unseen += 1;
            }
        }
    }
}

/// Whether a process of the group lives. A zombie of which another one is the parent stays for as long as that likes.
fn has_living(group: Pid) -> bool {
    let mut buffer = Vec::new();
    let mut lives = |pid| Member::read(pid, &mut buffer).ok().flatten().is_some_and(|member| !member.has_ended);
    members_now(group).is_ok_and(|members| members.into_iter().any(&mut lives))
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("pid", &self.pid).finish_non_exhaustive()
    }
}
