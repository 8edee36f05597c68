//! Ends that do not come as they should: refused, held up, or taken by somebody else.

use std::env;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dms::prelude::*;
use dms::process::{HealthConfig, Process, ProcessConfig, ProcessError, ProcessManager, ProcessStatus, Signal};
use dms::recovery::Restart;
use dms::{ModuleState, System};
use rustix::process::{Pid, WaitOptions, getpid, set_child_subreaper, waitpid};

use crate::real::{Says, alone, comes_to, lives, sh, soon, state_of, until};

/// Traces a process and waits for nothing of it: when that is killed it stays a zombie that its parent cannot reap, until the tracer goes. So is a process that a debugger holds.
struct Tracer(Child);

impl Tracer {
    async fn of(pid: u32) -> Self {
        let script = "import ctypes, sys; libc = ctypes.CDLL(None, use_errno=True); \
                      libc.ptrace.argtypes = [ctypes.c_long] * 4; \
                      print(libc.ptrace(0x4206, int(sys.argv[1]), 0, 0), flush=True); sys.stdin.read()";
        let mut command = Command::new("python3");
        command.args(["-c", script, &pid.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut tracer = command.spawn().unwrap();
        let output = tracer.stdout.take().unwrap();
        let said = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line).unwrap();
            line
        });
        assert_eq!(said.await.unwrap(), "0\n", "it traces the process");
        Self(tracer)
    }

    fn let_go(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

fn number(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

/// What says `ready`, and ends with 5 when it is asked to.
const POLITE: &str = "trap 'exit 5' TERM; echo ready > $SAYS; while :; do sleep 0.01; done";

#[module(name = "shop", flags(ESSENTIAL), depends("store"))]
struct Shop;

#[module]
impl Shop {}

#[tokio::test]
async fn a_kill_that_is_refused_kills_nothing_and_is_forgotten() {
    let system = System::new();
    let says = Says::new();
    let store = Process::spawn(&system, says.heard_by(sh("store", POLITE))).await.unwrap();
    says.line().await;
    system.register_module(Shop).await.unwrap();
    let error = store.kill().await.unwrap_err();
    assert!(matches!(error, ProcessError::Stop { .. }), "{error:?}");
    assert!(lives(store.pid().unwrap()));
    assert_eq!(store.status(), ProcessStatus::Idle);
    system.shutdown().await;
    let exit = store.report().exit.unwrap();
    assert_eq!((exit.code, exit.grace_passed), (Some(5), false), "it had its grace");
}

#[tokio::test]
async fn what_depends_on_a_process_that_is_killed_ends_before_it() {
    let system = System::new();
    let manager = ProcessManager::new(&system, ProcessConfig::default());
    let (says, may_end) = (Says::new(), Says::new());
    let store = manager.spawn(ProcessConfig::new("store", "sleep").arg("600")).await.unwrap();
    let script = "trap 'echo asked > $SAYS; read line < $MAY_END; exit 0' TERM; echo ready > $SAYS; while :; do sleep 0.01; done";
    let shop = says.heard_by(sh("shop", script)).env("MAY_END", may_end.path()).depends_on("store");
    let shop = manager.spawn(shop).await.unwrap();
    assert_eq!(says.line().await, "ready");
    let kill = tokio::spawn({
        let store = store.clone();
        async move { store.kill().await.unwrap() }
    });
    assert_eq!(says.line().await, "asked");
    assert!(lives(store.pid().unwrap()), "it is needed still");
    fs::write(may_end.path(), "now\n").unwrap();
    let report = kill.await.unwrap();
    assert_eq!(shop.report().exit.unwrap().code, Some(0));
    let exit = report.exit.unwrap();
    assert_eq!((exit.signal(), exit.grace_passed), (Some(Signal::KILL), false));
    assert_eq!((report.status, report.starts), (ProcessStatus::Terminated, 1));
    system.shutdown().await;
}

#[tokio::test]
async fn what_does_not_end_when_it_is_killed_is_said_shown_and_reaped_at_last() {
    let system = System::new();
    let manager = ProcessManager::new(&system, ProcessConfig::default());
    let job = manager.spawn(ProcessConfig::new("job", "sleep").arg("600")).await.unwrap();
    let pid = job.pid().unwrap();
    let tracer = Tracer::of(pid).await;
    tokio::time::pause();
    let report =
        tokio::time::timeout(Duration::from_mins(1), job.kill()).await.expect("it is not waited for any longer");
    tokio::time::resume();
    let report = report.unwrap();
    let Some(ProcessError::Unkillable { pid: named, .. }) = &report.last_error else { panic!("{report:?}") };
    assert_eq!((*named, report.pid), (pid, Some(pid)), "it is there still");
    assert!(matches!(&report.status, ProcessStatus::Error(text) if text.contains("killed and has not ended")));
    let error = manager.spawn(ProcessConfig::new("job", "true")).await.unwrap_err();
    assert!(matches!(error, ProcessError::Taken { .. }), "not beside it: {error:?}");
    tracer.let_go();
    until(|| state_of(pid).is_none() && job.pid().is_none(), "that it is reaped").await;
    assert_eq!(job.report().exit.unwrap().signal(), Some(Signal::KILL));
    system.shutdown().await;
}

#[test]
fn a_program_that_adopts_orphans_waits_for_none_and_reaps_those_of_its_groups() {
    alone("endings::a_program_that_adopts_orphans_waits_for_none_and_reaps_those_of_its_groups", async {
        set_child_subreaper(Some(getpid())).unwrap();
        let system = System::new();
        let says = Says::new();
        let script = "sleep 600 & echo $! > $SAYS; wait";
        let job = Process::spawn(&system, says.heard_by(sh("job", script))).await.unwrap();
        let orphan = says.number().await;
        let tracer = Tracer::of(orphan).await;
        // All in this thread: where that waits for the orphan, nothing goes on.
        job.stop().await.unwrap();
        comes_to(orphan, 'Z').await;
        tracer.let_go();
        until(|| state_of(orphan).is_none(), "that it is reaped").await;
        system.shutdown().await;
    });
}

#[test]
fn a_process_that_may_not_be_signalled_is_kept_and_shown() {
    const PROGRAM: &str = "DMS_TEST_SET_UID";
    if let Some(program) = env::var_os(PROGRAM) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(async {
            let system = System::new();
            let grace = Duration::from_millis(200);
            let restart = soon(Restart::always());
            // As `sudo` does: it becomes root, which this program is not.
            let config = ProcessConfig::new("job", program).args(["--reuid=0", "sleep", "600"]);
            let config = config.grace(grace).restart(restart);
            let job = Process::spawn(&system, config).await.unwrap();
            let pid = job.pid().unwrap();
            let status = || fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            until(|| status().contains("Uid:\t0\t0\t0\t0"), "that it is root").await;
            let error = job.signal(Signal::USR1).unwrap_err();
            assert!(matches!(error, ProcessError::Signal { signal: Signal::USR1, .. }), "{error:?}");
            let begun = Instant::now();
            let report = job.stop().await.unwrap();
            assert!(begun.elapsed() >= grace, "it might have ended by itself");
            assert!(matches!(report.last_error, Some(ProcessError::Signal { .. })), "{:?}", report.last_error);
            assert!(
                matches!(&report.status, ProcessStatus::Error(text) if text.contains("not permitted")),
                "{report:?}"
            );
            assert_eq!((report.pid, report.starts, lives(pid)), (Some(pid), 1, true));
            system.shutdown().await;
            println!("shown {pid}");
            // Its parent may end it, when it likes.
            std::future::pending::<()>().await;
        });
    }
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("become");
    fs::copy("/usr/bin/setpriv", &program).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o4755)).unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "endings::a_process_that_may_not_be_signalled_is_kept_and_shown", "--nocapture"]);
    command.env(PROGRAM, &program).uid(65534).gid(65534).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut unprivileged = command.spawn().unwrap();
    let mut lines = BufReader::new(unprivileged.stdout.take().unwrap()).lines().map_while(Result::ok);
    let shown = lines.find_map(|line| line.split_once("shown ")?.1.trim().parse::<u32>().ok());
    let Some(pid) = shown else {
        let mut said = String::new();
        unprivileged.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        panic!("{said}");
    };
    // It reaps it where somebody else ends it.
    rustix::process::kill_process(number(pid), rustix::process::Signal::KILL).unwrap();
    let begun = Instant::now();
    while state_of(pid).is_some() && begun.elapsed() < Duration::from_secs(10) {
        std::thread::yield_now();
    }
    let state = state_of(pid);
    unprivileged.kill().unwrap();
    unprivileged.wait().unwrap();
    assert_eq!(state, None, "it is reaped");
}

#[tokio::test]
async fn a_spawn_that_fails_leaves_another_of_its_id_alone() {
    let system = System::new();
    let manager = ProcessManager::new(&system, ProcessConfig::default());
    let mut failing = Box::pin(manager.spawn(ProcessConfig::new("job", "/no/such/program")));
    assert!(futures::poll!(&mut failing).is_pending());
    let failed = manager.handle("job").unwrap();
    // It has failed, and whoever waits for it has not been told.
    until(|| failed.module().state().is_ended(), "that it fails").await;
    manager.spawn(ProcessConfig::new("job", "sleep").arg("600")).await.unwrap();
    assert!(failing.await.is_err());
    assert_eq!(manager.status("job").unwrap(), ProcessStatus::Idle);
    system.shutdown().await;
}

#[tokio::test]
async fn a_process_that_is_being_stopped_is_not_halted() {
    let system = System::new();
    let (says, may_end) = (Says::new(), Says::new());
    let script = "trap 'echo asked > $SAYS; read line < $MAY_END; exit 5' TERM; echo ready > $SAYS; while :; do sleep 0.01; done";
    let config = says.heard_by(sh("job", script)).env("MAY_END", may_end.path());
    let job = Process::spawn(&system, config).await.unwrap();
    assert_eq!(says.line().await, "ready");
    let stop = tokio::spawn({
        let job = job.clone();
        async move { job.stop().await.unwrap() }
    });
    assert_eq!(says.line().await, "asked");
    let error = job.pause().unwrap_err();
    assert!(matches!(&error, ProcessError::NotRunning { status: ProcessStatus::Stopping, .. }), "{error:?}");
    fs::write(may_end.path(), "now\n").unwrap();
    assert_eq!(stop.await.unwrap().exit.unwrap().code, Some(5));
    system.shutdown().await;
}

#[tokio::test]
async fn a_process_that_is_halted_before_it_was_well_is_not_taken_for_well_when_it_goes_on() {
    let system = System::new();
    let health = HealthConfig::command("sh", ["-c", "test -e $MARK"]).every(Duration::from_millis(1));
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let config = ProcessConfig::new("job", "sleep").arg("600").env("MARK", &mark).health(health);
    let job = Process::spawn(&system, config).await.unwrap();
    assert_eq!(job.status(), ProcessStatus::Initializing);
    job.pause().unwrap();
    assert_eq!(job.status(), ProcessStatus::Paused);
    comes_to(job.pid().unwrap(), 'T').await;
    job.resume().unwrap();
    assert_eq!(job.status(), ProcessStatus::Initializing);
    fs::write(&mark, "").unwrap();
    job.until(|report| report.status == ProcessStatus::Idle).await.unwrap();
    system.shutdown().await;
}

#[test]
fn what_somebody_else_has_reaped_is_signalled_no_more() {
    alone("endings::what_somebody_else_has_reaped_is_signalled_no_more", async {
        let system = System::new();
        let says = Says::new();
        // Its group lives on: a signal by its number would reach that, and might reach anybody's.
        // What it has started ignores the signal that ends it.
        let script =
            "trap '' USR1; sleep 600 & left=$!; trap 'exit 0' USR1; echo $left > $SAYS; while :; do wait; done";
        let job = Process::spawn(&system, says.heard_by(sh("job", script))).await.unwrap();
        let left = says.number().await;
        let pid = number(job.pid().unwrap());
        job.signal(Signal::USR1).unwrap();
        // Nothing else in this thread goes on meanwhile.
        waitpid(Some(pid), WaitOptions::empty()).unwrap();
        assert!(matches!(job.signal(Signal::KILL), Err(ProcessError::NotRunning { .. })));
        assert!(job.wait().await.is_err());
        let ProcessStatus::Error(text) = job.status() else { panic!("{:?}", job.status()) };
        assert!(text.contains("nothing else in this program reaps"), "{text}");
        assert_eq!((job.pid(), job.module().state()), (None, ModuleState::Failed));
        system.shutdown().await;
        assert!(lives(left), "it was not killed by a number that is nobody's");
        rustix::process::kill_process(number(left), rustix::process::Signal::KILL).unwrap();
    });
}
