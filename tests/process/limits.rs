//! A process is held to its limits, and what it uses is seen.

use std::time::Duration;

use dms::prelude::*;
use dms::process::{
    Amount, Limit, LimitLevel, LimitNear, Process, ProcessConfig, ProcessError, ProcessHandle, ProcessManager,
    ProcessStatus, ResourceLimits, ResourceUsage, Signal,
};
use dms::recovery::Restart;
use tokio::sync::mpsc;

use crate::real::{Says, lives, sh, soon};

const MIB: u64 = 1 << 20;

/// So often, in tests: often enough that nobody waits, and far longer than a look takes.
const EVERY: Duration = Duration::from_millis(50);

/// A process that runs a program in Python.
fn python(id: &str, program: &str) -> ProcessConfig {
    ProcessConfig::new(id, "python3").args(["-c", program]).sample_every(EVERY)
}

/// Runs it to its end, and gives what it failed of.
async fn failure_of(config: ProcessConfig) -> ProcessError {
    let system = System::new();
    let process = Process::spawn(&system, config).await.unwrap();
    process.wait().await.unwrap();
    let report = process.report();
    system.shutdown().await;
    let error = report.last_error.unwrap_or_else(|| panic!("no failure: {:?}", report.exit));
    assert_eq!(report.status, ProcessStatus::Error(error.to_string()));
    error
}

/// Runs it until it has gone over a limit, and gives both figures.
async fn figures_of(config: ProcessConfig, expected: Limit) -> (Amount, Amount) {
    match failure_of(config).await {
        ProcessError::ResourceLimit { limit, allowed, used, .. } if limit == expected => (allowed, used),
        error => panic!("{error}"),
    }
}

/// What it uses, once that is as it should be.
async fn usage_when(process: &ProcessHandle, is_it: impl Fn(&ResourceUsage) -> bool) -> ResourceUsage {
    process.until(|report| report.usage.as_ref().is_some_and(&is_it)).await.unwrap().usage.unwrap()
}

/// Hears of all that come near a limit.
#[module]
struct Listener {
    heard: mpsc::UnboundedSender<LimitNear>,
}

#[module]
impl Listener {
    #[event]
    fn near(&mut self, near: &LimitNear) {
        let _ = self.heard.send(near.clone());
    }
}

#[tokio::test]
async fn a_process_that_takes_more_memory_than_it_may_is_killed_and_both_figures_are_told() {
    let program = "b = bytearray(200 << 20)\nimport signal; signal.pause()";
    let config = python("glutton", program).limits(ResourceLimits::new().memory(64 * MIB));
    let error = failure_of(config).await;
    let text = error.to_string();
    let ProcessError::ResourceLimit { id, limit: Limit::Memory, allowed: Amount::Bytes(allowed), used } = error else {
        panic!("{error}")
    };
    let Amount::Bytes(used) = used else { panic!("{used}") };
    assert_eq!(allowed, 64 * MIB);
    assert!((64 * MIB..230 * MIB).contains(&used), "{used}");
    assert_eq!(id.as_str(), "glutton");
    assert!(text.starts_with("process `glutton` went over its limit of memory: it used "), "{text}");
    assert!(text.ends_with("MiB, and may use 64MiB"), "{text}");
}

#[tokio::test]
async fn memory_that_was_taken_between_two_looks_is_over_the_limit_too() {
    let system = System::new();
    let says = Says::new();
    let program = "import os, signal\ngo = {signal.SIGUSR1}\nsignal.pthread_sigmask(signal.SIG_BLOCK, go)\nopen(os.environ['SAYS'], 'w').write('ready\\n')\nsignal.sigwait(go)\nb = bytearray(200 << 20)\ndel b\nsignal.pause()";
    // Far longer than the memory is there.
    let config = python("glutton", program).sample_every(Duration::from_millis(1_500));
    let config = says.heard_by(config).limits(ResourceLimits::new().memory(64 * MIB));
    let process = Process::spawn(&system, config).await.unwrap();
    assert_eq!(says.line().await, "ready");
    let seen = process.usage();
    process.until(|report| report.usage != seen).await.unwrap();
    // There has just been a look.
    process.signal(Signal::USR1).unwrap();
    process.wait().await.unwrap();
    let report = process.report();
    let Some(ProcessError::ResourceLimit { limit: Limit::Memory, used: Amount::Bytes(used), .. }) = report.last_error
    else {
        panic!("{:?}", report.last_error)
    };
    // Between the looks there are glances, one of which may come while the memory is being taken.
    assert!((64 * MIB..230 * MIB).contains(&used), "{used}");
    assert!(report.usage.unwrap().memory < 64 * MIB, "there was no look");
    system.shutdown().await;
}

#[tokio::test]
async fn the_memory_of_a_whole_group_counts_and_what_it_shares_counts_once() {
    // Four children that share 40 MiB with their parent: 200 MiB where each counts all.
    let program =
        "import os, signal\nb = bytearray(40 << 20)\nfor _ in range(4):\n    if os.fork() == 0: break\nsignal.pause()";
    let system = System::new();
    let config = python("herd", program).limits(ResourceLimits::new().memory(120 * MIB));
    let herd = Process::spawn(&system, config).await.unwrap();
    let usage = usage_when(&herd, |usage| usage.processes == 5 && usage.memory >= 40 * MIB).await;
    assert!((40 * MIB..80 * MIB).contains(&usage.memory), "{usage:?}");
    let again = herd.until(|report| report.usage.is_some_and(|now| now.cpu_time >= usage.cpu_time)).await.unwrap();
    assert!(again.status.is_running(), "{again:?}");
    herd.kill().await.unwrap();
    // The same with memory of their own.
    let program =
        "import os, signal\nfor _ in range(4):\n    if os.fork() == 0: break\nb = bytearray(40 << 20)\nsignal.pause()";
    let config = python("crowd", program).limits(ResourceLimits::new().memory(120 * MIB));
    let (_, used) = figures_of(config, Limit::Memory).await;
    assert!(used > Amount::Bytes(120 * MIB), "{used}");
    system.shutdown().await;
}

#[tokio::test]
async fn beyond_its_address_space_the_allocation_of_the_program_itself_fails() {
    let program = "try:\n    bytearray(1 << 30)\nexcept MemoryError:\n    raise SystemExit(7)";
    let config = python("reserved", program).limits(ResourceLimits::new().address_space(512 * MIB));
    match failure_of(config).await {
        ProcessError::Ended { exit, .. } => assert_eq!(exit.code, Some(7)),
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_process_that_uses_up_its_cpu_time_has_failed_of_that() {
    let second = Duration::from_secs(1);
    let limits = ResourceLimits::new().cpu_time(second);
    // So seldom that the kernel is first, and tells the process.
    let config = python("spinner", "while True: pass").limits(limits).sample_every(Duration::from_hours(1));
    let (allowed, used) = figures_of(config, Limit::CpuTime).await;
    assert_eq!(allowed, Amount::Time(second));
    let most = Amount::Time(second * 2);
    assert!((Amount::Time(second)..most).contains(&used), "{used}");
    // And one that does not listen to the signal is killed a second later.
    let deaf = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass";
    let config = python("deaf", deaf).limits(limits).sample_every(Duration::from_hours(1));
    let (_, used) = figures_of(config, Limit::CpuTime).await;
    assert!((Amount::Time(second * 3 / 2)..Amount::Time(second * 3)).contains(&used), "{used}");
}

#[tokio::test]
async fn the_cpu_time_of_a_group_is_watched_together() {
    // No process of it uses as much as half a second.
    let script = "import os\nfor _ in range(8):\n    if os.fork() == 0:\n        while sum(os.times()[:2]) < 0.3: pass\n        os._exit(0)\n    os.wait()\nimport signal; signal.pause()";
    let limits = ResourceLimits::new().cpu_time(Duration::from_secs(1));
    let (_, used) = figures_of(python("relay", script).limits(limits), Limit::CpuTime).await;
    assert!((Amount::Time(Duration::from_secs(1))..Amount::Time(Duration::from_secs(2))).contains(&used), "{used}");
}

#[tokio::test]
async fn a_busy_loop_uses_more_of_a_core_than_it_may() {
    let config = python("spinner", "while True: pass").limits(ResourceLimits::new().cpu_percent(20));
    let (allowed, used) = figures_of(config, Limit::CpuPercent).await;
    assert_eq!(allowed, Amount::Percent(20.0));
    assert!((Amount::Percent(20.0)..Amount::Percent(150.0)).contains(&used), "{used}");
}

#[tokio::test]
async fn the_kernel_refuses_more_open_files_than_there_may_be() {
    let program = "import os\nos.closerange(3, 256)\nf = []\ntry:\n    while True: f.append(open('/dev/null'))\nexcept OSError:\n    raise SystemExit(len(f))";
    let config = python("hoarder", program).limits(ResourceLimits::new().open_files(16));
    match failure_of(config).await {
        // With the three that it keeps of those it has from the beginning.
        ProcessError::Ended { exit, .. } => assert_eq!(exit.code, Some(13)),
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn who_raises_the_bound_of_its_open_files_has_failed() {
    let program = "import os, resource, signal\nos.closerange(3, 256)\ntry:\n    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\nexcept ValueError:\n    raise SystemExit(9)\nf = [open('/dev/null') for _ in range(40)]\nsignal.pause()";
    let config = python("hoarder", program).limits(ResourceLimits::new().open_files(16));
    match failure_of(config).await {
        ProcessError::ResourceLimit { limit: Limit::OpenFiles, allowed, used, .. } => {
            assert_eq!(allowed, Amount::Count(16));
            assert!((Amount::Count(17)..=Amount::Count(43)).contains(&used), "{used}");
        }
        // Without the capability for it nobody raises it.
        ProcessError::Ended { exit, .. } => assert_eq!(exit.code, Some(9)),
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_process_that_makes_ever_more_of_itself_is_killed_with_all_of_them() {
    // Twice as many in each round, eight times: 256, should nobody hinder it.
    let program =
        "import os, time\nfor _ in range(8):\n    os.fork()\n    time.sleep(0.05)\nimport signal; signal.pause()";
    let limits = ResourceLimits::new().processes(5);
    let system = System::new();
    let bomb = Process::spawn(&system, python("bomb", program).limits(limits)).await.unwrap();
    let group = bomb.pid().unwrap();
    bomb.wait().await.unwrap();
    let report = bomb.report();
    let Some(ProcessError::ResourceLimit { limit: Limit::Processes, allowed, used, .. }) = report.last_error else {
        panic!("{:?}", report.last_error)
    };
    assert_eq!(allowed, Amount::Count(5));
    assert!((Amount::Count(6)..=Amount::Count(256)).contains(&used), "{used}");
    assert_eq!(report.exit.unwrap().signal(), Some(Signal::KILL));
    assert!(members_of(group).is_empty());
    system.shutdown().await;
}

/// Those that live, by the files of all processes.
fn members_of(group: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<u32>().ok());
    let is_member = |pid: &u32| {
        let Ok(stat) = std::fs::read(format!("/proc/{pid}/stat")) else { return false };
        let stat = String::from_utf8_lossy(&stat).into_owned();
        let Some((_, rest)) = stat.rsplit_once(") ") else { return false };
        rest.split(' ').nth(2) == Some(&group.to_string())
    };
    pids.filter(is_member).filter(|pid| lives(*pid)).collect()
}

#[tokio::test]
async fn both_levels_are_told_once_with_the_figures() {
    let system = System::new();
    let (heard, mut nears) = mpsc::unbounded_channel();
    system.register_module(Listener { heard }).await.unwrap();
    let says = Says::new();
    // It opens files until it has as many as it says, and goes on with each signal.
    let program = "import os, signal\nos.closerange(3, 256)\nf = []\nnext = {signal.SIGUSR1}\nsignal.pthread_sigmask(signal.SIG_BLOCK, next)\nfor have in (15, 18, 20):\n    while 3 + len(f) < have: f.append(open('/dev/null'))\n    signal.sigwait(next)\nsignal.pause()";
    let config = says.heard_by(python("hoarder", program)).limits(ResourceLimits::new().open_files(20));
    let hoarder = Process::spawn(&system, config).await.unwrap();
    usage_when(&hoarder, |usage| usage.most_open_files == 15).await;
    hoarder.signal(Signal::USR1).unwrap();
    usage_when(&hoarder, |usage| usage.most_open_files == 18).await;
    let near = nears.recv().await.unwrap();
    assert_eq!((near.limit, near.level), (Limit::OpenFiles, LimitLevel::Warning));
    assert_eq!((near.allowed, near.pid), (Amount::Count(20), hoarder.pid()));
    assert!((Amount::Count(16)..=Amount::Count(18)).contains(&near.used), "{near:?}");
    hoarder.signal(Signal::USR1).unwrap();
    usage_when(&hoarder, |usage| usage.most_open_files == 20).await;
    let near = nears.recv().await.unwrap();
    assert_eq!((near.limit, near.level), (Limit::OpenFiles, LimitLevel::Critical));
    assert!((Amount::Count(19)..=Amount::Count(20)).contains(&near.used), "{near:?}");
    // It stays there for some looks more, of which none tells it again.
    let mut looks = 0;
    let looked = hoarder.until(|_| {
        looks += 1;
        looks > 5
    });
    looked.await.unwrap();
    assert!(hoarder.status().is_running());
    hoarder.kill().await.unwrap();
    system.shutdown().await;
    assert!(nears.recv().await.is_none());
}

#[tokio::test]
async fn what_a_process_uses_is_told_with_plausible_figures() {
    let system = System::new();
    let program = "import os, threading, time, signal\nos.closerange(3, 256)\nb = bytearray(50 << 20)\nf = [open('/dev/null') for _ in range(10)]\n[threading.Thread(target=time.sleep, args=(600,), daemon=True).start() for _ in range(3)]\nsignal.pause()";
    let process = Process::spawn(&system, python("worker", program)).await.unwrap();
    let usage = usage_when(&process, |usage| usage.threads == 4 && usage.processes == 1).await;
    assert!((50 * MIB..80 * MIB).contains(&usage.memory), "{usage:?}");
    assert!(usage.peak >= usage.memory && usage.address_space > usage.memory, "{usage:?}");
    assert_eq!((usage.open_files, usage.most_open_files, usage.processes), (13, 13, 1));
    assert!(usage.cpu_time > Duration::ZERO && usage.cpu_time < Duration::from_secs(5), "{usage:?}");
    let quiet = usage_when(&process, |usage| usage.cpu_percent < 5.0).await;
    assert!(quiet.cpu_time >= usage.cpu_time);
    process.kill().await.unwrap();
    assert_eq!(process.usage().unwrap().threads, 4, "the last figures stay");
    system.shutdown().await;
}

#[tokio::test]
async fn a_busy_loop_uses_about_one_core_and_is_busy_until_it_is_paused() {
    let system = System::new();
    let config = python("spinner", "while True: pass").sample_every(Duration::from_millis(200));
    let spinner = Process::spawn(&system, config).await.unwrap();
    let report = spinner.until(|report| report.status == ProcessStatus::Busy).await.unwrap();
    assert!(report.usage.unwrap().cpu_percent >= 5.0);
    let usage = usage_when(&spinner, |usage| usage.cpu_percent > 50.0).await;
    assert!(usage.cpu_percent < 150.0, "{usage:?}");
    // By somebody else, so that only a look can tell.
    let pid = rustix::process::Pid::from_raw(spinner.pid().unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    spinner.until(|report| report.status == ProcessStatus::Paused).await.unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    spinner.until(|report| report.status == ProcessStatus::Busy).await.unwrap();
    spinner.kill().await.unwrap();
    system.shutdown().await;
}

#[tokio::test]
async fn what_is_busy_is_up_to_the_configuration() {
    let system = System::new();
    let config = python("spinner", "while True: pass").busy_above(1_000.0);
    let spinner = Process::spawn(&system, config).await.unwrap();
    usage_when(&spinner, |usage| usage.cpu_percent > 50.0).await;
    assert_eq!(spinner.status(), ProcessStatus::Idle);
    spinner.kill().await.unwrap();
    system.shutdown().await;
}

#[tokio::test]
async fn over_a_limit_is_a_failure_as_any_and_is_met_with_a_restart() {
    let system = System::new();
    let defaults = ProcessConfig::default().limits(ResourceLimits::new().memory(64 * MIB)).sample_every(EVERY);
    let manager = ProcessManager::new(&system, defaults);
    let restart = soon(Restart::on_failure().max_restarts(2, Duration::from_mins(1)));
    let program = "b = bytearray(200 << 20)\nimport signal; signal.pause()";
    // Another limit of its own leaves that of the manager.
    let config = ProcessConfig::new("glutton", "python3").args(["-c", program]).restart(restart);
    let glutton = manager.spawn(config.limits(ResourceLimits::new().open_files(64))).await.unwrap();
    glutton.wait().await.unwrap();
    let report = glutton.report();
    assert_eq!(report.starts, 3);
    assert!(matches!(report.last_error, Some(ProcessError::ResourceLimit { limit: Limit::Memory, .. })), "{report:?}");
    assert!(system.shutdown().await.failure.is_some());
}

#[tokio::test]
async fn what_has_no_group_of_its_own_is_looked_at_alone() {
    let system = System::new();
    let program = "import signal; signal.pause()";
    let limits = ResourceLimits::new().processes(1);
    let process = Process::spawn(&system, python("single", program).own_group(false).limits(limits)).await.unwrap();
    let usage = usage_when(&process, |usage| usage.threads == 1).await;
    assert_eq!(usage.processes, 1);
    process.kill().await.unwrap();
    system.shutdown().await;
}

#[tokio::test]
async fn limits_are_read_from_a_file() {
    let config: ProcessConfig = serde_json::from_str(
        r#"{ "id": "glutton", "command": "python3", "args": ["-c", "b = bytearray(200 << 20)\nimport signal; signal.pause()"],
             "limits": { "memory": "64MiB", "cpu_time": "1m" }, "sample_every": "50ms", "busy_above": 10.0 }"#,
    )
    .unwrap();
    let (allowed, _) = figures_of(config, Limit::Memory).await;
    assert_eq!(allowed, Amount::Bytes(64 * MIB));
    let mistake = r#"{ "id": "a", "command": "b", "limits": { "memory": "64 megs" } }"#;
    let error = serde_json::from_str::<ProcessConfig>(mistake).unwrap_err().to_string();
    assert!(error.contains(r#"expected a size (a number of bytes, or a text as `"64MiB"`)"#), "{error}");
}

#[tokio::test]
async fn memory_is_looked_at_however_seldom_all_else_is() {
    let script = "import time\nmuch = bytearray(200 << 20)\ndel much\ntime.sleep(600)";
    let config = ProcessConfig::new("brief", "python3").args(["-c", script]).sample_every(Duration::MAX);
    let limits = ResourceLimits::new().memory(64 << 20);
    let (allowed, used) = figures_of(config.limits(limits), Limit::Memory).await;
    assert_eq!(allowed, Amount::Bytes(64 << 20));
    assert!(matches!(used, Amount::Bytes(bytes) if bytes > 64 << 20), "{used}");
}

#[tokio::test]
async fn a_process_may_be_looked_at_once_and_never_again() {
    let system = System::new();
    let process = Process::spawn(&system, sh("unseen", "exec sleep 600").sample_every(Duration::MAX)).await.unwrap();
    usage_when(&process, |usage| usage.processes == 1).await;
    assert_eq!(process.stop().await.unwrap().status, ProcessStatus::Terminated);
    system.shutdown().await;
}

#[tokio::test]
async fn what_is_no_number_is_no_setting() {
    let system = System::new();
    let refused = Process::spawn(&system, sh("nan", "exit 0").busy_above(f64::NAN)).await.unwrap_err();
    assert!(matches!(refused, ProcessError::Setting { setting: "busy_above", .. }), "{refused}");
    system.shutdown().await;
}
