//! Whether a process is well, and what follows where it is not.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use dms::prelude::*;
use dms::process::{
    HealthConfig, Output, Process, ProcessChanged, ProcessConfig, ProcessError, ProcessHandle, ProcessLine,
    ProcessStatus, ResourceLimits, Signal,
};
use dms::recovery::Restart;
use dms::{Failure, System};
use dms_tests::{Log, eventually};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

use crate::real::{Says, alone, lives, sh, soon};

/// Longer than any test: a check comes when it is asked for.
const NEVER: Duration = Duration::from_hours(10);

const MOMENT: Duration = Duration::from_millis(20);

/// Two failures do no harm, the third one restarts it at once.
fn restarting(config: ProcessConfig) -> ProcessConfig {
    config.restart(soon(Restart::on_failure().max_restarts(1_000, Duration::from_millis(1))))
}

async fn spawn(system: &System, config: ProcessConfig) -> ProcessHandle {
    Process::spawn(system, config).await.unwrap()
}

/// What a check says now of a process that sleeps.
async fn said(system: &System, health: HealthConfig) -> HealthStatus {
    let process = spawn(system, sh("sleeper", "exec sleep 600").health(health.every(NEVER))).await;
    let said = process.module().check_health().await;
    process.kill().await.unwrap();
    said
}

fn reason(said: &HealthStatus) -> &str {
    let HealthStatus::Unhealthy(reason) = said else { panic!("{said:?}") };
    reason
}

/// A file that is there or not.
struct Flag {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Flag {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("well");
        let flag = Self { _folder: folder, path };
        flag.raise();
        flag
    }

    fn raise(&self) {
        fs::write(&self.path, "").unwrap();
    }

    fn lower(&self) {
        fs::remove_file(&self.path).unwrap();
    }

    /// A probe that looks whether it is there.
    fn probe(&self) -> HealthConfig {
        HealthConfig::command("test", ["-e", self.path.to_str().unwrap()]).every(NEVER)
    }
}

/// Answers whatever connects with these bytes, and then with `more` of them until nobody reads; gives the address.
async fn serve(answer: &'static str, more: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await?;
                stream.write_all(answer.as_bytes()).await?;
                if more {
                    loop {
                        stream.write_all(b"X-More: and more\r\n").await?;
                    }
                }
                // Held open: an answer need not end with its connection.
                while stream.read(&mut request).await? > 0 {}
                Ok::<_, io::Error>(())
            });
        }
    });
    address
}

#[tokio::test]
async fn a_command_says_so_by_what_it_exits_with() {
    let system = System::new();
    assert_eq!(said(&system, HealthConfig::command("true", [""; 0])).await, HealthStatus::Healthy);
    let failed = said(&system, HealthConfig::command("sh", ["-c", "exit 4"])).await;
    assert_eq!(reason(&failed), "`sh` exited with 4");
    let failed = said(&system, HealthConfig::command("sh", ["-c", "kill -9 $$"])).await;
    assert_eq!(reason(&failed), "`sh` was ended by SIGKILL");
    let missing = said(&system, HealthConfig::command("/no/such/program", [""; 0])).await;
    assert!(reason(&missing).contains("/no/such/program"), "{missing}");
    system.shutdown().await;
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed_with_what_it_started() {
    let system = System::new();
    let says = Says::new();
    let script = format!("sleep 600 & echo $$ $! > {}; wait", says.path().display());
    let health = HealthConfig::command("sh", ["-c", &script]).timeout(Duration::from_millis(300)).every(NEVER);
    let process = spawn(&system, sh("sleeper", "exec sleep 600").health(health)).await;
    let (said, line) = tokio::join!(process.module().check_health(), says.line());
    assert_eq!(reason(&said), "`probe` took longer than 300ms");
    let pids: Vec<u32> = line.split(' ').map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(pids.len(), 2);
    eventually("nothing of it is left", || pids.iter().all(|pid| !lives(*pid))).await;
    // The process itself goes on.
    assert!(lives(process.pid().unwrap()));
    system.shutdown().await;
}

#[test]
fn probes_leave_nothing_behind() {
    alone("health::probes_leave_nothing_behind", async {
        let system = System::new();
        let answering = serve("HTTP/1.1 200 OK\r\n\r\n", false).await;
        let silent = serve("", false).await;
        let soon = Duration::from_millis(5);
        let mut processes = Vec::new();
        for (id, health) in [
            ("well", HealthConfig::command("true", [""; 0])),
            ("late", HealthConfig::command("sleep", ["600"]).timeout(soon)),
            ("answers", HealthConfig::http(format!("http://{answering}/"))),
            ("hangs", HealthConfig::http(format!("http://{silent}/")).timeout(soon)),
        ] {
            let health = health.every(NEVER).failures(u32::MAX);
            processes.push(spawn(&system, sh(id, "exec sleep 600").health(health)).await);
        }
        let open = || fs::read_dir("/proc/self/fd").unwrap().count();
        let mut before = (0, 0);
        for round in 0..50 {
            for process in &processes {
                process.module().check_health().await;
            }
            if round == 9 {
                eventually("the first ones are gone", || children() == processes.len() + 1).await;
                before = (open(), children());
            }
        }
        // The one more is who ends groups when this program is killed.
        eventually("nothing is left", || (open(), children()) == before).await;
        system.shutdown().await;
    });
}

/// How many children this program has, zombies among them.
fn children() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    tasks
        .map(|task| fs::read_to_string(task.unwrap().path().join("children")).unwrap().split_whitespace().count())
        .sum()
}

#[tokio::test]
async fn a_connection_says_so_where_it_is_accepted() {
    let system = System::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    assert_eq!(said(&system, HealthConfig::tcp(&address)).await, HealthStatus::Healthy);
    drop(listener);
    let refused = said(&system, HealthConfig::tcp(&address)).await;
    assert!(reason(&refused).starts_with(&format!("no connection to {address}: ")), "{refused}");
    system.shutdown().await;
}

#[tokio::test]
async fn an_answer_of_http_says_so_by_its_status() {
    let system = System::new();
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nnot all of it", None),
        ("HTTP/1.1 204 No Content\r\n\r\n", None),
        ("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n", None),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", Some("answered 404 Not Found")),
        ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", Some("answered 503 Service Unavailable")),
        ("SSH-2.0-OpenSSH_9.6\r\n", Some("no answer from http://")),
    ] {
        let address = serve(answer, false).await;
        let said = said(&system, HealthConfig::http(format!("http://{address}/ready?now=1"))).await;
        match expected {
            None => assert_eq!(said, HealthStatus::Healthy, "{answer}"),
            Some(text) => assert!(reason(&said).contains(text), "{said}"),
        }
    }
    system.shutdown().await;
}

#[tokio::test]
async fn an_answer_without_an_end_is_not_read_to_it() {
    let system = System::new();
    let address = serve("HTTP/1.1 200 OK\r\n", true).await;
    let endless = said(&system, HealthConfig::http(format!("http://{address}/"))).await;
    assert!(reason(&endless).starts_with("no answer from"), "{endless}");
    system.shutdown().await;
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_failure_by_the_timeout() {
    let system = System::new();
    let address = serve("", false).await;
    let health = HealthConfig::http(format!("http://{address}/")).timeout(Duration::from_millis(100));
    assert_eq!(reason(&said(&system, health).await), "`probe` took longer than 100ms");
    let health = HealthConfig::line("ping", "pong").timeout(Duration::from_millis(100));
    assert_eq!(reason(&said(&system, health).await), "`probe` took longer than 100ms");
    system.shutdown().await;
}

#[tokio::test]
async fn a_web_server_is_found_well_once_it_listens() {
    let system = System::new();
    // Nobody else gets it: it is taken by a socket that does not listen, and leaves it to who asks for it by its number, as the server does.
    let held = TcpSocket::new_v4().unwrap();
    held.set_reuseaddr(true).unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = held.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let health = HealthConfig::http(format!("http://127.0.0.1:{port}/")).every(MOMENT).start_period(NEVER);
    let web = ProcessConfig::new("web", "python3")
        .args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()])
        .current_dir(folder.path())
        .health(health);
    let web = spawn(&system, web).await;
    assert_eq!(web.status(), ProcessStatus::Initializing);
    let report = web.until(|report| report.status.is_running()).await.unwrap();
    assert_eq!((report.starts, report.health), (1, HealthStatus::Healthy));
    assert_eq!(web.module().check_health().await, HealthStatus::Healthy);
    system.shutdown().await;
}

#[module(mailbox = 16)]
struct Desk {
    lines: Log<String>,
    changes: Log<(ProcessStatus, Option<u32>)>,
}

#[module(visibility = "")]
impl Desk {
    #[handler]
    fn line(&mut self, line: ProcessLine) {
        self.lines.push(line.text);
    }

    #[event]
    fn change(&mut self, change: &ProcessChanged) {
        self.changes.push((change.to.clone(), change.pid));
    }

    /// All that was sent before has been handled.
    #[handler(Settle)]
    fn settle(&self) {}
}

async fn desk(system: &System) -> (ModuleRef<Desk>, Log<String>, Log<(ProcessStatus, Option<u32>)>) {
    let (lines, changes) = (Log::new(), Log::new());
    let desk = Desk { lines: lines.clone(), changes: changes.clone() };
    (system.register_module(desk).await.unwrap(), lines, changes)
}

#[tokio::test]
async fn a_line_says_so_by_its_answer_which_goes_to_nobody_else() {
    let system = System::new();
    let (desk, lines, _) = desk(&system).await;
    let script = "while read line; do echo said $line; [ $line = ping ] && echo pong; done";
    for output in [Output::lines(desk.recipient()), Output::Log, Output::Null] {
        let config = sh("echo", script).stdout(output).health(HealthConfig::line("ping", "pong").every(NEVER));
        let process = spawn(&system, config).await;
        for _ in 0..3 {
            assert_eq!(process.module().check_health().await, HealthStatus::Healthy);
        }
        // There is an input, for the probe's sake.
        process.input().send_line("other").await.unwrap();
        process.input().close();
        process.wait().await.unwrap();
        let ended = process.module().check_health().await;
        assert!(matches!(ended, HealthStatus::Unhealthy(_)), "{ended}");
    }
    desk.settle().await.unwrap();
    assert_eq!(lines.take(), ["said ping", "said ping", "said ping", "said other"]);
    system.shutdown().await;
}

#[tokio::test]
async fn a_failure_degrades_and_the_third_in_a_row_restarts() {
    let system = System::new();
    let (desk, _, changes) = desk(&system).await;
    let flag = Flag::new();
    let process = spawn(&system, restarting(sh("sleeper", "exec sleep 600").health(flag.probe()))).await;
    let (module, first) = (process.module(), process.pid().unwrap());
    let mut watch = module.watch();
    assert_eq!(module.check_health().await, HealthStatus::Healthy);
    flag.lower();
    for _ in 0..2 {
        assert_eq!(reason(&module.check_health().await), "`test` exited with 1");
        assert_eq!(process.report().health, HealthStatus::Degraded("`test` exited with 1".to_owned()));
        assert_eq!(process.status(), ProcessStatus::Idle);
    }
    module.check_health().await;
    let failure = Failure::Health { reason: "`test` exited with 1".to_owned(), failures: 3 };
    assert_eq!(watch.next().await.unwrap().reason, Some(failure));
    let report = process.until(|report| report.starts == 2 && report.pid.is_some()).await.unwrap();
    assert!(!lives(first) && report.pid != Some(first));
    let Some(ProcessError::Unhealthy { failures: 3, reason, .. }) = &report.last_error else { panic!("{report:?}") };
    assert_eq!(reason, "`test` exited with 1");
    assert!(report.exit.is_some_and(|exit| exit.signal() == Some(Signal::TERM)), "it was asked to end");
    flag.raise();
    assert_eq!(module.check_health().await, HealthStatus::Healthy);
    desk.settle().await.unwrap();
    let all: Vec<_> = changes.take().into_iter().map(|(to, _)| to).collect();
    let text = "process `sleeper` failed 3 health checks in a row: `test` exited with 1".to_owned();
    let [idle, stopping, error, again, well] = &all[..] else { panic!("{all:?}") };
    assert_eq!((idle, stopping), (&ProcessStatus::Idle, &ProcessStatus::Stopping));
    assert_eq!((error, again, well), (&ProcessStatus::Error(text), &ProcessStatus::Initializing, &ProcessStatus::Idle));
    system.shutdown().await;
}

#[tokio::test]
async fn the_times_and_thresholds_are_those_of_the_configuration() {
    let system = System::new();
    let health = HealthConfig::command("false", [""; 0]).every(MOMENT).failures(2);
    let process = spawn(&system, sh("sleeper", "exec sleep 600").health(health)).await;
    // Nobody asks; without a policy it fails for good.
    process.wait().await.unwrap();
    let report = process.report();
    assert!(matches!(report.last_error, Some(ProcessError::Unhealthy { failures: 2, .. })), "{report:?}");
    assert!(matches!(report.status, ProcessStatus::Error(_)), "{report:?}");
    system.shutdown().await;
}

#[tokio::test]
async fn a_heart_that_beats_is_well_and_one_that_was_stopped_is_not() {
    let system = System::new();
    let beat = Duration::from_secs(1);
    for script in ["while :; do echo beat; sleep 0.01; done", "while :; do echo beat >&2; sleep 0.01; done"] {
        let health = HealthConfig::heartbeat(beat).every(MOMENT);
        let process = spawn(&system, restarting(sh("heart", script).stdout(Output::Null).health(health))).await;
        process.until(|report| report.status.is_running()).await.unwrap();
        assert_eq!(process.module().check_health().await, HealthStatus::Healthy);
        // From outside: nobody here knows of it.
        let pid = process.pid().unwrap();
        let stopped = std::process::Command::new("kill").args(["-STOP", "--", &format!("-{pid}")]).status().unwrap();
        assert!(stopped.success());
        let report = process.until(|report| report.starts == 2).await.unwrap();
        let Some(ProcessError::Unhealthy { reason, .. }) = &report.last_error else { panic!("{report:?}") };
        assert!(reason.starts_with("it has written nothing for 1."), "{reason}");
        assert!(!lives(pid));
        process.kill().await.unwrap();
    }
    system.shutdown().await;
}

/// The clock of this program goes on by so much.
async fn later(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_heart_is_well_while_it_beats_and_after_a_pause() {
    let system = System::new();
    let health = HealthConfig::heartbeat(Duration::from_secs(5)).every(NEVER).failures(u32::MAX);
    let beats = sh("beats", "while :; do echo beat; sleep 0.01; done").stdout(Output::Null).health(health.clone());
    let beats = spawn(&system, beats).await;
    later(Duration::from_mins(1)).await;
    // The next beat comes in a moment.
    while beats.module().check_health().await != HealthStatus::Healthy {
        tokio::task::yield_now().await;
    }
    let silent = spawn(&system, sh("silent", "exec sleep 600").health(health)).await;
    assert_eq!(silent.module().check_health().await, HealthStatus::Healthy, "it has just begun");
    silent.pause().unwrap();
    later(Duration::from_mins(1)).await;
    silent.resume().unwrap();
    assert_eq!(silent.module().check_health().await, HealthStatus::Healthy, "it could not beat");
    later(Duration::from_mins(1)).await;
    assert!(matches!(silent.module().check_health().await, HealthStatus::Unhealthy(_)));
    system.shutdown().await;
}

#[tokio::test]
async fn a_process_that_is_paused_is_not_checked() {
    let system = System::new();
    let flag = Flag::new();
    let process = spawn(&system, sh("sleeper", "exec sleep 600").health(flag.probe())).await;
    let module = process.module();
    assert_eq!(module.check_health().await, HealthStatus::Healthy);
    flag.lower();
    module.check_health().await;
    process.pause().unwrap();
    let known = HealthStatus::Degraded("`test` exited with 1".to_owned());
    for _ in 0..10 {
        assert_eq!(module.check_health().await, known, "what is known, and nothing more");
    }
    flag.raise();
    module.check_health().await;
    module.check_health().await;
    assert_eq!(module.health(), known, "nor is it healed");
    process.resume().unwrap();
    module.check_health().await;
    assert_eq!(module.check_health().await, HealthStatus::Healthy);
    assert_eq!((module.health(), process.report().starts), (HealthStatus::Healthy, 1));
    system.shutdown().await;
}

#[tokio::test]
async fn a_pause_gives_up_the_check_that_is_under_way() {
    let system = System::new();
    let says = Says::new();
    let script = format!("echo $$ > {}; exec sleep 600", says.path().display());
    let health = HealthConfig::command("sh", ["-c", &script]).timeout(NEVER).every(NEVER);
    let process = spawn(&system, sh("sleeper", "exec sleep 600").health(health)).await;
    let pause = async {
        let pid = says.number().await;
        process.pause().unwrap();
        pid
    };
    let (said, pid) = tokio::join!(process.module().check_health(), pause);
    assert_eq!(said, HealthStatus::Healthy, "what is known");
    eventually("the probe is killed", || !lives(pid)).await;
    process.kill().await.unwrap();
    system.shutdown().await;
}

#[tokio::test]
async fn while_it_starts_a_failure_does_not_count() {
    let system = System::new();
    let flag = Flag::new();
    flag.lower();
    let health = flag.probe().start_period(NEVER);
    let process = spawn(&system, sh("slow", "exec sleep 600").health(health)).await;
    let module = process.module();
    for _ in 0..5 {
        assert_eq!(module.check_health().await, HealthStatus::Healthy);
    }
    assert_eq!(process.status(), ProcessStatus::Initializing);
    flag.raise();
    module.check_health().await;
    assert_eq!(process.status(), ProcessStatus::Idle);
    // Once it has started, it counts.
    flag.lower();
    module.check_health().await;
    assert!(matches!(module.health(), HealthStatus::Degraded(_)));
    system.shutdown().await;
}

#[tokio::test]
async fn a_process_that_ends_while_it_is_checked_has_ended() {
    let system = System::new();
    let says = Says::new();
    let script = format!("echo $$ > {}; exec sleep 600", says.path().display());
    let health = HealthConfig::command("sh", ["-c", &script]).timeout(NEVER).every(NEVER);
    let process = spawn(&system, sh("sleeper", "exec sleep 600").health(health)).await;
    let kill = async {
        let pid = says.number().await;
        process.signal(Signal::KILL).unwrap();
        pid
    };
    let (_, pid) = tokio::join!(process.module().check_health(), kill);
    let exit = process.wait().await.unwrap();
    assert_eq!(exit.signal(), Some(Signal::KILL));
    eventually("the probe is killed", || !lives(pid)).await;
    system.shutdown().await;
}

#[derive(Debug, Deserialize)]
struct Value;

#[module]
struct Values;

#[module(visibility = "")]
impl Values {
    #[handler]
    fn value(&mut self, _: Value) {}
}

#[tokio::test]
async fn a_probe_that_cannot_be_is_an_error_of_the_spawn() {
    let system = System::new();
    let values = system.register_module(Values).await.unwrap();
    let line = || HealthConfig::line("ping", "pong");
    let beat = HealthConfig::heartbeat(Duration::from_secs(1));
    for (config, text) in [
        (sh("a", "").health(HealthConfig::http("https://localhost")), "nothing else is asked"),
        (sh("a", "").health(HealthConfig::http("localhost")), "`localhost`"),
        (sh("a", "").health(HealthConfig::command("", [""; 0])), "runs no program"),
        (sh("a", "").health(HealthConfig::line("a\nb", "c")), "line break"),
        (sh("a", "").health(line()).stdin(dms::process::Input::Inherit), "Input::Pipe"),
        (sh("a", "").health(line()).stdout(Output::frames::<Value>(values.recipient())), "does not read as lines"),
        (sh("a", "").health(beat).stdout(Output::Inherit).stderr(dms::process::Stderr::Inherit), "expects output"),
    ] {
        let error = Process::spawn(&system, config).await.unwrap_err();
        assert!(matches!(&error, ProcessError::Setting { setting: "health", .. }), "{error:?}");
        assert!(error.to_string().contains(text), "{error}");
    }
    system.shutdown().await;
}

#[tokio::test]
async fn a_check_that_hangs_does_not_put_off_a_stop() {
    let system = System::new();
    let says = Says::new();
    let script = format!("echo begun > {}; exec sleep 600", says.path().display());
    let health = HealthConfig::command("sh", ["-c", &script]).timeout(NEVER).every(MOMENT);
    let process = spawn(&system, sh("sick", "exec sleep 600").health(health)).await;
    assert_eq!(says.line().await, "begun");
    let report = tokio::time::timeout(Duration::from_secs(30), process.stop()).await.expect("it hangs").unwrap();
    assert_eq!(report.status, ProcessStatus::Terminated);
    system.shutdown().await;
}

#[tokio::test]
async fn a_command_is_not_held_to_the_limits_of_the_process() {
    let system = System::new();
    let health = HealthConfig::command("sh", ["-c", "test $(ulimit -n) != 77"]).every(NEVER);
    let limits = ResourceLimits::new().open_files(77);
    let process = spawn(&system, sh("poor", "exec sleep 600").limits(limits).health(health)).await;
    assert_eq!(process.module().check_health().await, HealthStatus::Healthy);
    system.shutdown().await;
}

#[tokio::test]
async fn what_a_command_says_last_is_part_of_the_reason() {
    let system = System::new();
    let failed = said(&system, HealthConfig::command("sh", ["-c", "echo one >&2; echo no route >&2; exit 7"])).await;
    assert_eq!(reason(&failed), "`sh` exited with 7: no route");
    // More than the pipe holds.
    let failed = said(&system, HealthConfig::command("sh", ["-c", "seq 1 50000 >&2; exit 7"])).await;
    assert_eq!(reason(&failed), "`sh` exited with 7: 50000");
    system.shutdown().await;
}
