//! The threads that spawn all processes of this program.
//!
//! A process whose parent-death signal is set dies with the *thread* that spawned it. Tokio's threads may end before the program does; these do not. There is more than one, since a program or a directory on a file system that does not answer
//! holds up the thread that asks for it, and is not to hold up other processes.

use std::collections::VecDeque;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustix::process::{Pid, getpid};

/// So many at most.
const THREADS: usize = 8;

/// One that has been busy for so long is held up: a spawn takes about a millisecond.
const HELD_UP: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

pub(super) struct Spawners {
    /// The program whose threads they are: a fork of it has none.
    of: Pid,
    work: Arc<Work>,
}

#[derive(Default)]
struct Work {
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    /// Each with the program that it is about.
    jobs: VecDeque<(PathBuf, Job)>,
    /// What each thread does, and since when.
    threads: Vec<Option<(Instant, PathBuf)>>,
}

static SPAWNERS: Mutex<Option<Spawners>> = Mutex::new(None);

/// Has a thread that never ends do something about a program.
pub(super) fn submit(program: PathBuf, job: impl FnOnce() + Send + 'static) -> io::Result<()> {
    SPAWNERS.lock().get_or_insert_with(|| Spawners::new(getpid())).submit(program, Box::new(job))
}

impl Spawners {
    fn new(of: Pid) -> Self {
        Self { of, work: Arc::default() }
    }

    fn submit(&self, program: PathBuf, job: Job) -> io::Result<()> {
        if self.of != getpid() {
            return Err(io::Error::other("a fork of the program that has the processes can spawn none"));
        }
        let mut state = self.work.state.lock();
        let idle = state.threads.iter().filter(|job| job.is_none()).count();
        if idle <= state.jobs.len() {
            if state.threads.len() < THREADS {
                self.begin(&mut state)?;
            } else if let Some(held_up) = state.held_up() {
                return Err(io::Error::new(io::ErrorKind::TimedOut, held_up));
            }
        }
        state.jobs.push_back((program, job));
        self.work.came.notify_one();
        Ok(())
    }

    fn begin(&self, state: &mut State) -> io::Result<()> {
        let (work, number) = (Arc::clone(&self.work), state.threads.len());
        thread::Builder::new().name(format!("dms-spawner-{number}")).spawn(move || work.done_by(number))?;
        state.threads.push(None);
        Ok(())
    }
}

impl State {
    /// What holds up all of the threads, if it does.
    fn held_up(&self) -> Option<String> {
        let held_up = |thread: &Option<(Instant, PathBuf)>| {
            let (since, program) = thread.as_ref()?;
            (since.elapsed() >= HELD_UP).then(|| program.display().to_string())
        };
        let programs: Option<Vec<_>> = self.threads.iter().map(held_up).collect();
        programs.map(|programs| format!("held up by others that cannot be started: {}", programs.join(", ")))
    }
}

impl Work {
    fn done_by(&self, thread: usize) {
        loop {
            let mut state = self.state.lock();
            let (program, job) = loop {
                match state.jobs.pop_front() {
                    Some(job) => break job,
                    None => self.came.wait(&mut state),
                }
            };
            state.threads[thread] = Some((Instant::now(), program));
            drop(state);
            // Whoever asked learns of a panic by the reply that does not come.
            let _ = panic::catch_unwind(AssertUnwindSafe(job));
            self.state.lock().threads[thread] = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// A job that is held up until the sender goes.
    fn held_up() -> (mpsc::Sender<()>, Job) {
        let (release, held) = mpsc::channel::<()>();
        (release, Box::new(move || assert!(held.recv().is_err())))
    }

    #[test]
    fn what_is_held_up_holds_up_no_other() {
        let spawners = Spawners::new(getpid());
        let releases: Vec<_> = (1..THREADS)
            .map(|_| {
                let (release, job) = held_up();
                spawners.submit("/dead/mount".into(), job).expect("there are threads");
                release
            })
            .collect();
        for _ in 0..3 {
            let (done, is_done) = mpsc::channel();
            spawners.submit("/bin/true".into(), Box::new(move || done.send(()).unwrap())).expect("one is left");
            is_done.recv_timeout(Duration::from_secs(10)).expect("it is done beside them");
        }
        drop(releases);
    }

    #[test]
    fn where_all_are_held_up_that_is_said_with_what_holds_them_up() {
        let spawners = Spawners::new(getpid());
        let mut releases = Vec::new();
        for _ in 0..THREADS {
            let (release, job) = held_up();
            spawners.submit("/dead/mount".into(), job).expect("there are threads");
            releases.push(release);
        }
        while spawners.work.state.lock().threads.iter().any(Option::is_none) {
            thread::yield_now();
        }
        let long_ago = Instant::now().checked_sub(HELD_UP).expect("the machine runs for a while");
        for thread in &mut spawners.work.state.lock().threads {
            *thread = Some((long_ago, "/dead/mount".into()));
        }
        let error = spawners.submit("/bin/true".into(), Box::new(|| {})).expect_err("nobody would do it");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(error.to_string().contains("/dead/mount"), "{error}");
    }

    #[test]
    fn a_fork_of_the_program_is_refused() {
        let spawners = Spawners::new(Pid::INIT);
        let error = spawners.submit("/bin/true".into(), Box::new(|| {})).expect_err("its threads are elsewhere");
        assert!(error.to_string().contains("fork"), "{error}");
    }
}
