//! What a process writes becomes messages, and what it reads is sent to it.

use std::fs;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::process::Stdio;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use dms::prelude::*;
use dms::process::{
    Input, InputError, Output, Process, ProcessChanged, ProcessConfig, ProcessError, ProcessHandle, ProcessLine,
    ProcessStatus, ProcessStream, Stderr, StreamError, StreamTrouble,
};
use dms::recovery::Restart;
use dms::{Format, PayloadError};
use dms_tests::{Log, events_of, eventually, is_long};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::real::{Says, alone, sh, soon};

/// What a process may write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Point {
    x: u64,
    #[serde(default)]
    name: String,
}

/// One that cannot be read.
#[derive(Debug)]
struct Mine;

impl<'de> Deserialize<'de> for Mine {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("boom");
    }
}

/// Takes what processes write, and hears what is wrong with it.
#[module(mailbox = 16)]
struct Desk {
    lines: Log<String>,
    points: Log<Point>,
    troubles: Log<StreamTrouble>,
    changes: Log<ProcessChanged>,
    /// One permit for each line that may be handled.
    turns: Arc<Semaphore>,
}

#[module(visibility = "")]
impl Desk {
    #[handler]
    async fn line(&mut self, line: ProcessLine) {
        self.turns.acquire().await.unwrap().forget();
        self.lines.push(line.text);
    }

    #[handler]
    async fn point(&mut self, point: Point) {
        self.points.push(point);
    }

    #[handler]
    async fn mine(&mut self, _: Mine) {}

    #[event]
    fn trouble(&mut self, trouble: &StreamTrouble) {
        self.troubles.push(trouble.clone());
    }

    #[event]
    fn change(&mut self, change: &ProcessChanged) {
        self.changes.push(change.clone());
    }

    /// All that was sent before has been handled.
    #[handler(Settle)]
    fn settle(&self) {}
}

/// A system with a desk.
struct Office {
    system: System,
    desk: ModuleRef<Desk>,
    lines: Log<String>,
    points: Log<Point>,
    troubles: Log<StreamTrouble>,
    changes: Log<ProcessChanged>,
    turns: Arc<Semaphore>,
}

impl Office {
    async fn new() -> Self {
        Self::with(Semaphore::MAX_PERMITS).await
    }

    /// The first so many lines are handled.
    async fn with(turns: usize) -> Self {
        let (lines, points, troubles, changes) = (Log::new(), Log::new(), Log::new(), Log::new());
        let (system, turns) = (System::new(), Arc::new(Semaphore::new(turns)));
        let desk = Desk {
            lines: lines.clone(),
            points: points.clone(),
            troubles: troubles.clone(),
            changes: changes.clone(),
            turns: turns.clone(),
        };
        let desk = system.register_module(desk).await.unwrap();
        Self { system, desk, lines, points, troubles, changes, turns }
    }

    fn lines_out(&self) -> Output {
        Output::lines(self.desk.recipient())
    }

    fn json_out(&self) -> Output {
        Output::json::<Point>(self.desk.recipient())
    }

    fn frames_out(&self) -> Output {
        Output::frames::<Point>(self.desk.recipient())
    }

    async fn spawn(&self, config: ProcessConfig) -> ProcessHandle {
        Process::spawn(&self.system, config).await.unwrap()
    }

    /// Spawns a process and waits until it has ended.
    async fn run(&self, config: ProcessConfig) -> ProcessHandle {
        let process = self.spawn(config).await;
        process.wait().await.unwrap();
        self.desk.settle().await.unwrap();
        process
    }

    fn errors(&self) -> Vec<StreamError> {
        self.troubles.all().into_iter().map(|trouble| trouble.error).collect()
    }
}

fn cat() -> ProcessConfig {
    ProcessConfig::new("cat", "cat").stdin(Input::Pipe)
}

/// How much memory this program had at most, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Whether the future waits.
async fn waits<F: Future + Unpin>(future: &mut F) -> bool {
    poll_fn(|cx| Poll::Ready(pin!(&mut *future).poll(cx).is_pending())).await
}

#[tokio::test]
async fn a_hundred_thousand_lines_through_cat_are_the_same_and_in_order() {
    let office = Office::new().await;
    let cat = office.spawn(cat().stdout(office.lines_out())).await;
    for number in 0..100_000 {
        cat.input().send_line(number.to_string()).await.unwrap();
    }
    cat.input().close();
    cat.wait().await.unwrap();
    office.desk.settle().await.unwrap();
    assert!(office.lines.take().into_iter().eq((0..100_000).map(|number| number.to_string())));
    assert_eq!((office.errors(), cat.report().stream_troubles), (vec![], 0));
    office.system.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_json_values_through_cat_are_the_same_and_in_order() {
    let office = Office::new().await;
    let cat = office.spawn(cat().stdout(office.json_out())).await;
    let point = |x| Point { x, name: "a line\nof two".to_owned() };
    for x in 0..100_000 {
        cat.input().send_json(&point(x)).await.unwrap();
    }
    cat.input().close();
    cat.wait().await.unwrap();
    office.desk.settle().await.unwrap();
    assert!(office.points.take().into_iter().eq((0..100_000).map(point)));
    office.system.shutdown().await;
}

#[tokio::test]
async fn a_hundred_thousand_frames_through_cat_are_the_same_and_in_order() {
    let office = Office::new().await;
    let cat = office.spawn(cat().stdout(office.frames_out())).await;
    // Of all lengths.
    let point = |x: u64| Point { x, name: "n".repeat(usize::try_from(x % 300).unwrap()) };
    for x in 0..100_000 {
        cat.input().send_frame(&point(x)).await.unwrap();
    }
    cat.input().close();
    cat.wait().await.unwrap();
    office.desk.settle().await.unwrap();
    assert!(office.points.take().into_iter().eq((0..100_000).map(point)));
    office.system.shutdown().await;
}

#[test]
fn a_line_without_an_end_takes_no_memory_is_told_once_and_the_next_line_comes() {
    alone("streams::a_line_without_an_end_takes_no_memory_is_told_once_and_the_next_line_comes", async {
        let office = Office::new().await;
        let megabytes = if is_long() { 1024 } else { 64 };
        let script = format!("echo first; head -c {megabytes}M /dev/zero | tr '\\0' x; echo; echo next");
        let before = peak();
        let process = office.run(sh("long", &script).stdout(office.lines_out())).await;
        let grown = peak() - before;
        assert_eq!(office.lines.take(), ["first", "next"]);
        assert_eq!(office.errors(), [StreamError::TooLong { limit: 64 << 10 }]);
        assert_eq!(process.report().stream_troubles, 1);
        assert!(grown < 4 << 10, "{grown} KiB for a line of {megabytes} MiB");
        office.system.shutdown().await;
    });
}

#[test]
fn a_slow_module_holds_its_process_up() {
    alone("streams::a_slow_module_holds_its_process_up", async {
        let office = Office::with(100).await;
        let before = peak();
        let yes = office.spawn(ProcessConfig::new("yes", "yes").stdout(office.lines_out())).await;
        let pid = yes.pid().unwrap();
        eventually("all that may be handled is", || office.lines.len() == 100).await;
        // It sleeps nowhere but before a full pipe.
        let written = || {
            let io = fs::read_to_string(format!("/proc/{pid}/io")).unwrap();
            io.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap().parse::<u64>().unwrap()
        };
        let sleeps = || fs::read_to_string(format!("/proc/{pid}/stat")).unwrap().contains(") S ");
        eventually("it waits", || written() > 64 << 10 && sleeps()).await;
        let held = written();
        assert!(held < 512 << 10, "{held} bytes for 100 lines of two");
        // It goes on where the module does.
        office.turns.add_permits(20_000);
        eventually("more is handled", || office.lines.len() == 20_100).await;
        assert!(written() > held);
        let grown = peak() - before;
        assert!(grown < 8 << 10, "{grown} KiB");
        // What is in the pipe is handled, and then it is over.
        let (killed, ()) = tokio::join!(yes.kill(), async { office.turns.add_permits(1_000_000) });
        killed.unwrap();
        office.system.shutdown().await;
    });
}

#[tokio::test]
async fn a_frame_that_says_it_has_four_gibibytes_fails_the_process() {
    let office = Office::new().await;
    let script = r"printf '\377\377\377\377abcd'; exec sleep 600";
    let process = office.run(sh("liar", script).stdout(office.frames_out())).await;
    let lie = StreamError::FrameTooLong { length: u64::from(u32::MAX), limit: 1 << 20 };
    assert_eq!(office.errors(), std::slice::from_ref(&lie));
    let report = process.report();
    let Some(ProcessError::Stream { stream: ProcessStream::Stdout, source, .. }) = &report.last_error else {
        panic!("{report:?}");
    };
    assert_eq!(*source, lie);
    assert!(matches!(report.status, ProcessStatus::Error(_)), "{report:?}");
    office.system.shutdown().await;
}

#[tokio::test]
async fn a_frame_that_is_none_is_skipped_and_half_of_one_at_the_end_is_told() {
    let office = Office::new().await;
    let frame = r"\0\0\0\004\201\241x\007";
    let script = format!(r"printf '{frame}\0\0\0\003abc{frame}\0\0\0\011ab'");
    office.run(sh("frames", &script).stdout(office.frames_out())).await;
    let point = Point { x: 7, name: String::new() };
    assert_eq!(office.points.take(), [point.clone(), point]);
    let errors = office.errors();
    let [StreamError::Undecodable(error), StreamError::Truncated { bytes: 6 }] = &errors[..] else {
        panic!("{errors:?}");
    };
    assert!(matches!(error, PayloadError::Unreadable { format: Format::MessagePack, .. }), "{error}");
    office.system.shutdown().await;
}

#[tokio::test]
async fn a_line_that_is_no_text_or_no_value_is_skipped_told_and_counted() {
    let office = Office::new().await;
    let process = office.run(sh("lines", r"printf 'one\n\377\ntwo\r\n\n'").stdout(office.lines_out())).await;
    assert_eq!(office.lines.take(), ["one", "two", ""]);
    assert_eq!(office.errors(), [StreamError::NotUtf8]);
    assert_eq!(process.report().stream_troubles, 1);
    assert_eq!(office.troubles.take().len(), 1);
    let script = r#"printf '{"x":1}\n\n{"y":2}\nnope\n  {"x":3}'"#;
    let process = office.run(sh("values", script).stdout(office.json_out())).await;
    let found: Vec<_> = office.points.take().into_iter().map(|point| point.x).collect();
    assert_eq!(found, [1, 3]);
    let troubles = office.troubles.take();
    let [first, second] = &troubles[..] else { panic!("{troubles:?}") };
    assert_eq!((first.id.as_str(), first.stream, first.count, second.count), ("values", ProcessStream::Stdout, 1, 2));
    assert!(
        matches!(&first.error, StreamError::Undecodable(PayloadError::Unreadable { reason, .. }) if reason.contains("missing field `x`"))
    );
    assert_eq!(process.report().stream_troubles, 2);
    // A `Deserialize` that panics is an error as any other.
    let out = Output::json::<Mine>(office.desk.recipient());
    let process = office.run(sh("mines", "echo 1; echo 2").stdout(out)).await;
    assert!(matches!(&office.errors()[..], [StreamError::Undecodable(PayloadError::Panicked { .. }), _]));
    assert_eq!(process.status(), ProcessStatus::Terminated);
    office.system.shutdown().await;
}

#[tokio::test]
async fn the_bound_on_a_line_is_the_one_that_was_set() {
    let office = Office::new().await;
    let out = office.lines_out().max_length(4);
    office.run(sh("short", "echo 1234; echo 12345; echo 123").stdout(out)).await;
    assert_eq!(office.lines.take(), ["1234", "123"]);
    assert_eq!(office.errors(), [StreamError::TooLong { limit: 4 }]);
    office.system.shutdown().await;
}

#[tokio::test]
async fn what_a_process_has_written_when_it_exits_is_delivered_before_its_end_is_told() {
    let office = Office::new().await;
    for _ in 0..20 {
        let script = "i=0; while [ $i -lt 500 ]; do echo $i; i=$((i+1)); done; printf half; exit 3";
        let process = office.run(sh("last", script).stdout(office.lines_out())).await;
        let lines = office.lines.take();
        assert_eq!((lines.len(), lines.last().unwrap().as_str()), (501, "half"));
        assert!(process.report().status.to_string().contains("exited with 3"));
    }
    office.system.shutdown().await;
}

#[tokio::test]
async fn who_keeps_the_pipe_open_does_not_keep_the_process() {
    let office = Office::new().await;
    // What has left the group is not killed with it.
    let script = "setsid sleep 600 & echo $!; printf half";
    let process = office.run(sh("parent", script).stdout(office.lines_out())).await;
    let lines = office.lines.take();
    assert_eq!(lines[1], "half");
    assert_eq!(process.status(), ProcessStatus::Terminated);
    assert_eq!(office.errors(), []);
    let killed = std::process::Command::new("kill").arg(&lines[0]).stdout(Stdio::null()).status().unwrap();
    assert!(killed.success(), "it held the pipe");
    office.system.shutdown().await;
}

#[tokio::test]
async fn a_module_that_takes_nothing_does_not_hold_up_the_end_of_its_process_for_ever() {
    let office = Office::with(0).await;
    let process = office.spawn(sh("left", "seq 1 1000").stdout(office.lines_out())).await;
    // Nothing but the wait for the module keeps this program busy, so its time is over at once.
    tokio::time::pause();
    process.wait().await.unwrap();
    assert_eq!(process.status(), ProcessStatus::Terminated);
    tokio::time::resume();
    office.turns.add_permits(1_000);
    office.desk.settle().await.unwrap();
    assert_eq!(office.errors(), [StreamError::LeftBehind { within: Duration::from_secs(5) }]);
    assert!((1..100).contains(&office.lines.len()), "what fits in the mailbox");
    office.system.shutdown().await;
}

#[tokio::test]
async fn a_module_that_has_ended_is_told_of_once_and_the_process_goes_on() {
    let office = Office::new().await;
    let gone = Office::new().await;
    let out = gone.lines_out();
    gone.system.shutdown().await;
    let process = office.run(sh("alone", "seq 1 100000").stdout(out)).await;
    assert_eq!(office.errors(), [StreamError::NobodyListens { module: "Desk#1".to_owned() }]);
    assert_eq!(process.status(), ProcessStatus::Terminated);
    office.system.shutdown().await;
}

#[tokio::test]
async fn a_send_that_does_not_fit_waits_and_one_that_is_dropped_sends_nothing() {
    let office = Office::new().await;
    let cat = office.spawn(cat().stdout(office.lines_out())).await;
    cat.pause().unwrap();
    let line = "x".repeat(999);
    let mut accepted = 0;
    while accepted < 1_000 {
        let mut sending = Box::pin(cat.input().send_line(&line));
        if waits(&mut sending).await {
            // Nothing of this one is sent.
            break;
        }
        accepted += 1;
        // The writer has its turn.
        tokio::task::yield_now().await;
    }
    // The buffer, and the pipe.
    assert!((64..200).contains(&accepted), "{accepted} KB");
    cat.resume().unwrap();
    cat.input().send_line("last").await.unwrap();
    cat.input().flush().await.unwrap();
    cat.input().close();
    cat.wait().await.unwrap();
    office.desk.settle().await.unwrap();
    let lines = office.lines.take();
    assert_eq!((lines.len(), lines.last().unwrap().as_str()), (accepted + 1, "last"));
    office.system.shutdown().await;
}

#[tokio::test]
async fn a_line_longer_than_the_buffer_goes_alone() {
    let office = Office::new().await;
    let cat = office.spawn(cat().stdout(office.lines_out().max_length(4 << 20))).await;
    let line = "y".repeat(3 << 20);
    cat.input().send_line(&line).await.unwrap();
    cat.input().send_line("next").await.unwrap();
    cat.input().close();
    cat.wait().await.unwrap();
    office.desk.settle().await.unwrap();
    let lines = office.lines.take();
    assert!(lines == [line, "next".to_owned()]);
    office.system.shutdown().await;
}

#[tokio::test]
async fn a_process_that_does_not_read_is_the_senders_trouble_and_not_its_failure() {
    let office = Office::new().await;
    let says = Says::new();
    let script = "exec 0<&-; echo closed > $SAYS; exec sleep 600";
    let process = office.spawn(says.heard_by(sh("deaf", script).stdin(Input::Pipe))).await;
    assert_eq!(says.line().await, "closed");
    process.input().send_line("hello").await.unwrap();
    let error = process.input().flush().await.unwrap_err();
    assert!(matches!(&error, InputError::Broken { process, .. } if process.as_str() == "deaf"), "{error:?}");
    let error = process.input().send_line("hello").await.unwrap_err();
    assert!(matches!(error, InputError::Broken { .. }), "{error:?}");
    office.desk.settle().await.unwrap();
    assert_eq!(office.errors(), [StreamError::InputClosed { bytes: 6 }]);
    assert!(process.status().is_running());
    process.kill().await.unwrap();
    office.system.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_sent_is_an_error_of_its_own() {
    let office = Office::new().await;
    let cat = office.spawn(cat()).await;
    let error = cat.input().send_line("two\nlines").await.unwrap_err();
    assert!(matches!(error, InputError::NotOneLine { .. }), "{error:?}");
    let error = cat.input().send_json(&f64::NAN.to_bits().to_string().repeat(1 << 20)).await.unwrap_err();
    assert!(matches!(error, InputError::Value { source: PayloadError::TooLarge { .. }, .. }), "{error:?}");
    let input = cat.input().clone();
    input.close();
    let error = input.send_line("late").await.unwrap_err();
    assert!(matches!(error, InputError::Closed { .. }), "{error:?}");
    cat.wait().await.unwrap();
    let error = input.send_line("late").await.unwrap_err();
    assert!(matches!(error, InputError::NotRunning { .. }), "{error:?}");
    let none = office.spawn(sh("none", "exec sleep 600")).await;
    let error = none.input().send_line("hello").await.unwrap_err();
    assert!(error.to_string().contains("`.stdin(Input::Pipe)`"), "{error}");
    none.kill().await.unwrap();
    office.system.shutdown().await;
}

#[tokio::test]
async fn an_input_outlives_the_restarts_of_its_process() {
    let office = Office::new().await;
    let config = sh("echo", "read line; echo $line").stdin(Input::Pipe).stdout(office.lines_out());
    let echo =
        office.spawn(config.restart(soon(Restart::always().max_restarts(1_000, Duration::from_millis(1))))).await;
    let input = echo.input().clone();
    for number in 1..=5 {
        echo.until(|report| report.starts == number && report.status.is_running()).await.unwrap();
        input.send_line(number.to_string()).await.unwrap();
    }
    echo.until(|report| report.starts == 6).await.unwrap();
    echo.kill().await.unwrap();
    office.desk.settle().await.unwrap();
    assert_eq!(office.lines.take(), ["1", "2", "3", "4", "5"]);
    office.system.shutdown().await;
}

#[test]
fn the_standard_error_is_logged_with_the_process_and_its_last_lines_are_kept() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ((report, changes), events) = events_of(|| {
        runtime.block_on(async {
            let office = Office::new().await;
            let script = "i=0; while [ $i -lt 30 ]; do echo line $i >&2; i=$((i+1)); done; \
                          head -c 100000 /dev/zero | tr '\\0' y >&2; printf '\\nhalf \\377' >&2; echo said; exit 3";
            let process = office.run(sh("noisy", script)).await;
            let _ = office.system.shutdown().await;
            (process.report(), office.changes.take())
        })
    });
    let logged: Vec<_> = events.iter().filter(|event| event.text.contains("process=noisy")).collect();
    let of = |stream: &str| {
        let end = format!(" process=noisy stream={stream}");
        logged.iter().filter_map(|event| event.text.strip_suffix(&end)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of("stdout"), ["said"]);
    let lines = of("stderr");
    assert_eq!((lines.len(), lines[0].as_str(), lines[31].as_str()), (32, "line 0", "half \u{fffd}"));
    assert_eq!(lines[30].len(), 64 << 10, "what is too long is cut");
    let tail = &report.stderr_tail;
    assert_eq!(
        (tail.len(), tail[0].as_str(), tail[18].len(), tail[19].as_str()),
        (20, "line 12", 1024, "half \u{fffd}")
    );
    let last = changes.last().unwrap();
    assert_eq!(&last.stderr_tail, tail);
    let Some(ProcessError::Ended { stderr_tail, .. }) = &report.last_error else { panic!("{report:?}") };
    assert_eq!(stderr_tail, tail);
}

#[tokio::test]
async fn what_is_not_wanted_is_dropped() {
    let office = Office::new().await;
    let config = sh("mute", "seq 1 100000; seq 1 100000 >&2").stdout(Output::Null).stderr(Stderr::Null);
    let process = office.run(config).await;
    assert_eq!((process.report().stderr_tail, office.errors()), (vec![], vec![]));
    office.system.shutdown().await;
}

#[tokio::test]
async fn a_stop_reads_on_until_the_process_has_ended() {
    let office = Office::new().await;
    let says = Says::new();
    // It writes more than a pipe holds before it ends.
    let script = "trap 'seq 1 50000; exit 0' TERM; echo ready > $SAYS; while :; do sleep 0.01; done";
    let process = office.spawn(says.heard_by(sh("talker", script).stdout(office.lines_out()))).await;
    assert_eq!(says.line().await, "ready");
    let report = process.stop().await.unwrap();
    assert!(report.exit.unwrap().is_success());
    office.desk.settle().await.unwrap();
    assert_eq!(office.lines.take().last().map(String::as_str), Some("50000"));
    office.system.shutdown().await;
}

#[test]
fn streams_are_written_in_files_as_words() {
    let text = "id = \"a\"\ncommand = \"cat\"\nstdin = \"pipe\"\nstdout = \"null\"\nstderr = \"inherit\"\nhealth = { heartbeat = \"1s\" }";
    toml::from_str::<ProcessConfig>(text).unwrap();
    let error = toml::from_str::<ProcessConfig>("id = \"a\"\ncommand = \"cat\"\nstdout = \"stream\"").unwrap_err();
    assert!(error.to_string().contains("unknown variant `stream`"), "{error}");
}
