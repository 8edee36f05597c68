//! What ends the program that has the processes: a copy of this test's own, so that it can be killed, and what is left of it counted.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dms::System;
use dms::process::{Process, ProcessConfig, ProcessManager};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::real::{Says, gone, lives, sh, takes_at_most};

const SECOND: Duration = Duration::from_secs(1);

/// Says which of the programs is to run.
const NAME: &str = "DMS_TEST_PROGRAM";

/// Where a program says that it has come to its point.
const POINT: &str = "DMS_TEST_POINT";

/// Begins this test binary again, as one of the programs below.
fn begin(program: &str, says: &Says, point: &Says) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "programs::a_program", "--ignored", "--nocapture", "--test-threads=1"])
        .env(NAME, program)
        .env("SAYS", says.path())
        .env(POINT, point.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a test: what [`begin`] runs.
#[test]
#[ignore = "a program that other tests begin"]
fn a_program() {
    match env::var(NAME).as_deref() {
        Ok("waits") => with_a_family(&|| loop {
            std::thread::park();
        }),
        Ok("exits") => with_a_family(&|| std::process::exit(0)),
        Ok("aborts") => with_a_family(&|| std::process::abort()),
        Ok("counts") => count(),
        // All ignored tests were asked for.
        _ => {}
    }
}

/// A process, with a process of its own, that lets no `SIGTERM` end it; then the end.
fn with_a_family(end: &dyn Fn()) {
    let runtime = Runtime::new().unwrap();
    let system = System::new();
    runtime.block_on(async {
        let manager = ProcessManager::new(&system, ProcessConfig::default());
        let script = "trap '' TERM; sleep 600 & echo $$ $! > $SAYS; while :; do wait; done";
        // Not its manager's concern here.
        std::mem::forget(manager.spawn(sh("family", script)).await.unwrap());
        std::mem::forget(manager);
        writeln!(fs::File::create(PathBuf::from(env::var_os(POINT).unwrap())).unwrap(), "spawned").unwrap();
    });
    end();
}

/// The program, the process, and the process of that.
async fn family(program: &str) -> (Child, [u32; 2]) {
    let (says, point) = (Says::new(), Says::new());
    let program = begin(program, &says, &point);
    let line = says.line().await;
    let pids: Vec<u32> = line.split(' ').map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(point.line().await, "spawned");
    (program, [pids[0], pids[1]])
}

/// How long it takes until all of them are dead.
async fn all_gone(pids: [u32; 2]) -> Duration {
    let begun = Instant::now();
    for pid in pids {
        gone(pid).await;
    }
    begun.elapsed()
}

#[tokio::test]
async fn nothing_survives_a_program_that_is_killed() {
    takes_at_most(SECOND, async || {
        let (mut program, pids) = family("waits").await;
        assert!(pids.into_iter().all(lives));
        program.kill().unwrap();
        let died = Instant::now();
        program.wait().unwrap();
        all_gone(pids).await;
        died.elapsed()
    })
    .await;
}

#[tokio::test]
async fn nothing_survives_a_program_that_exits() {
    for how in ["exits", "aborts"] {
        takes_at_most(SECOND, async || {
            let (mut program, pids) = family(how).await;
            program.wait().unwrap();
            all_gone(pids).await
        })
        .await;
    }
}

#[test]
fn nothing_survives_the_runtime() {
    for flavour in [Builder::new_current_thread, || Builder::new_multi_thread()] {
        let says = Says::new();
        let script = "trap '' TERM; sleep 600 & echo $$ $! > $SAYS; while :; do wait; done";
        let runtime = flavour().enable_all().build().unwrap();
        let system = System::new();
        let config = says.heard_by(sh("family", script));
        let handle = runtime.block_on(Process::spawn(&system, config)).unwrap();
        let pids: Vec<u32> = says.blocking_line().split(' ').map(|pid| pid.parse().unwrap()).collect();
        assert!(pids.iter().copied().all(lives));
        drop(runtime);
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            all_gone([pids[0], pids[1]]).await;
            // Its zombie is reaped as well.
            crate::real::until(|| crate::real::state_of(pids[0]).is_none(), "that it is reaped").await;
        });
        assert!(handle.status().is_over(), "{:?}", handle.status());
        assert_eq!(handle.pid(), None);
    }
}

#[tokio::test]
async fn nothing_survives_the_manager_or_the_system() {
    for drops_system in [false, true] {
        let system = System::new();
        let says = Says::new();
        let script = "sleep 600 & echo $$ $! > $SAYS; wait";
        let manager = ProcessManager::new(&system, ProcessConfig::default());
        let handle = manager.spawn(says.heard_by(sh("family", script))).await.unwrap();
        let line = says.line().await;
        let pids: Vec<u32> = line.split(' ').map(|pid| pid.parse().unwrap()).collect();
        let another = manager.clone();
        drop(manager);
        assert!(handle.status().is_running(), "one of the managers is left");
        if drops_system {
            drop(system);
            handle.wait().await.unwrap();
            drop(another);
        } else {
            drop(another);
            handle.wait().await.unwrap();
            system.shutdown().await;
        }
        assert!(!lives(pids[0]) && !lives(pids[1]));
    }
}

#[tokio::test]
async fn a_thousand_processes_leave_nothing_behind() {
    let (says, point) = (Says::new(), Says::new());
    let mut program = begin("counts", &says, &point);
    let status = tokio::task::spawn_blocking(move || program.wait().unwrap()).await.unwrap();
    assert!(status.success(), "what it says is above");
}

fn count() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let system = System::new();
        let manager = ProcessManager::new(&system, ProcessConfig::default());
        let one = async |id: &str| {
            let process = manager.spawn(ProcessConfig::new(id, "true")).await.unwrap();
            assert!(process.wait().await.unwrap().is_success());
        };
        // The first one takes a thread and a guardian.
        one("first").await;
        crate::real::until(|| Handle::current().metrics().num_alive_tasks() == 0, "that all tasks end").await;
        let before = (open_files(), children());
        for number in 0..1_000 {
            one(&format!("job-{number}")).await;
        }
        crate::real::until(|| Handle::current().metrics().num_alive_tasks() == 0, "that all tasks end").await;
        assert_eq!((open_files(), children()), before);
        assert_eq!(manager.list().len(), 1_001);
        assert!(system.modules().is_empty());
        system.shutdown().await;
    });
}

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The children of this program, zombies among them.
fn children() -> BTreeSet<String> {
    let mut children = BTreeSet::new();
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let list = fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
        children.extend(list.split_whitespace().map(str::to_owned));
    }
    children
}
