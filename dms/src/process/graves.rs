//! The thread that waits for the ends of processes for which nobody else waits any more, and reaps them.
//!
//! A process that was killed is gone in a moment, as a rule: it is not where it waits in the kernel for a disk that does not answer, where a debugger holds it, or where this program may not kill it. So it has no thread of the runtime wait for it.

use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, WaitId, WaitIdOptions, child_subreaper, getpid, test_kill_process_group, waitid};

use super::id::ProcessId;
use super::proc::members_now;

/// From then on somebody has to be told.
const WARN_AFTER: Duration = Duration::from_secs(5);

/// What nothing wakes is looked at after this, then after twice as long, and so on.
const FIRST_LOOK: Duration = Duration::from_millis(1);

/// And at least so often.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// Something to be done once a process has ended.
pub(super) struct Grave {
    /// The process, and its number: for those who read the log.
    id: ProcessId,
    pid: Pid,
    /// Becomes readable when it has ended; `None` where nothing does.
    end: Option<OwnedFd>,
    /// Whether it is done.
    look: Box<dyn FnMut() -> bool + Send>,
    since: Instant,
    pause: Duration,
    due: Instant,
    warned: bool,
}

impl Grave {
    /// `look` is called when `end` becomes readable, and now and then where there is none, until it says that it is done.
    pub(super) fn new(
        id: ProcessId,
        pid: Pid,
        end: Option<OwnedFd>,
        look: impl FnMut() -> bool + Send + 'static,
    ) -> Self {
        let now = Instant::now();
        Self { id, pid, end, look: Box::new(look), since: now, pause: FIRST_LOOK, due: now, warned: false }
    }

    /// Looks, where it is time to; says whether it is done.
    fn is_done(&mut self, now: Instant) -> bool {
        if self.due > now {
            return false;
        }
        if (self.look)() {
            return true;
        }
        if now.duration_since(self.since) >= WARN_AFTER && !self.warned {
            self.warned = true;
            let (process, pid) = (&self.id, self.pid.as_raw_pid());
            tracing::warn!(target: "dms::process", %process, pid, "does not end: it waits in the kernel, is traced, or may not be killed");
        }
        self.pause = (self.pause * 2).min(LAST_LOOK);
        // Until somebody is told that it does not end; then it is waited for.
        let next = if self.end.is_some() { self.until_warned(now) } else { self.pause };
        self.due = now + next;
        false
    }

    fn until_warned(&self, now: Instant) -> Duration {
        if self.warned { LAST_LOOK * 60 } else { WARN_AFTER.saturating_sub(now.duration_since(self.since)) }
    }
}

struct Thread {
    /// The program whose thread it is: a fork of it has none.
    of: Pid,
    graves: Sender<Grave>,
    wake: PipeWriter,
}

static THREAD: Mutex<Option<Thread>> = Mutex::new(None);

/// Has the thread look after it.
pub(super) fn dig(grave: Grave) {
    if let Err(error) = hand_over(grave) {
        tracing::warn!(target: "dms::process", %error, "what has ended is not reaped");
    }
}

fn hand_over(grave: Grave) -> io::Result<()> {
    let mut place = THREAD.lock();
    let thread = if let Some(thread) = &mut *place {
        thread
    } else {
        let (read, wake) = io::pipe()?;
        let (graves, receiver) = mpsc::channel();
        thread::Builder::new().name("dms-graves".to_owned()).spawn(move || work(&receiver, read))?;
        place.insert(Thread { of: getpid(), graves, wake })
    };
    if thread.of != getpid() {
        return Err(io::Error::other("a fork of the program that has the processes cannot wait for them"));
    }
    thread.graves.send(grave).map_err(|_| io::Error::other("the thread that reaps processes is gone"))?;
    thread.wake.write_all(&[0])
}

fn work(receiver: &Receiver<Grave>, mut wake: PipeReader) {
    let mut graves: Vec<Grave> = Vec::new();
    loop {
        graves.extend(receiver.try_iter());
        let now = Instant::now();
        graves.retain_mut(|grave| !grave.is_done(now));
        let due = graves.iter().map(|grave| grave.due).min();
        let timeout = due.and_then(|due| Timespec::try_from(due.saturating_duration_since(Instant::now())).ok());
        let mut waits = vec![PollFd::new(&wake, PollFlags::IN)];
        waits.extend(graves.iter().filter_map(|grave| Some(PollFd::new(grave.end.as_ref()?, PollFlags::IN))));
        let ready: Vec<bool> = match poll(&mut waits, timeout.as_ref()) {
            Ok(_) => waits.iter().map(|wait| !wait.revents().is_empty()).collect(),
            // By a signal.
            Err(_) => continue,
        };
        let mut ready = ready.into_iter();
        if ready.next() == Some(true) {
            // The program is over where nobody can wake it any more.
            let Ok(1..) = wake.read(&mut [0; 64]) else { return };
        }
        for grave in graves.iter_mut().filter(|grave| grave.end.is_some()) {
            if ready.next() == Some(true) {
                // It stays readable, also where it can be reaped only when a debugger lets go of it.
                grave.end = None;
                grave.due = now;
            }
        }
    }
}

/// Has those reaped that a process leaves behind in its group and that become children of this program: of the one that is PID 1, or a *subreaper*.
pub(super) fn adopt(id: &ProcessId, group: Pid) {
    let adopts = getpid().is_init() || child_subreaper().is_ok_and(|subreaper| subreaper.is_some());
    if adopts {
        dig(Grave::new(id.clone(), group, None, move || reap_orphans(group)));
    }
}

/// Reaps those of the group that have ended and are this program's; says whether none is left.
fn reap_orphans(group: Pid) -> bool {
    if test_kill_process_group(group).is_err() {
        return true;
    }
    let Ok(members) = members_now(group) else { return true };
    // Its leader was reaped: this is another group, so that one is gone.
    if members.contains(&group) {
        return true;
    }
    let mut is_empty = true;
    for member in members {
        // What has ended and is a child of this program keeps its number until it is reaped, here.
        let is_reaped = is_zombie_of_ours(member)
            && waitid(WaitId::Pid(member), WaitIdOptions::EXITED | WaitIdOptions::NOHANG).is_ok_and(|it| it.is_some());
        is_empty &= is_reaped;
    }
    is_empty
}

fn is_zombie_of_ours(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).unwrap_or_default();
    // Behind the name: the state, and the parent.
    let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    fields.next() == Some("Z") && fields.next().and_then(|parent| parent.parse().ok()) == Some(getpid().as_raw_pid())
}
