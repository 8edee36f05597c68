//! What a process writes last comes to who is to have it, and nobody else can put off its end.

use std::sync::Arc;
use std::time::Duration;

use dms::Overflow;
use dms::prelude::*;
use dms::process::{
    Output, Process, ProcessConfig, ProcessHandle, ProcessLine, ProcessStatus, StreamError, StreamTrouble,
};
use dms_tests::Log;
use tokio::sync::Semaphore;

use crate::real::{Says, gone, sh};

/// Takes what a process writes.
#[module(mailbox = 4)]
struct Desk {
    lines: Log<String>,
    /// One permit for each line that may be handled.
    turns: Arc<Semaphore>,
}

fn turns(turns: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(turns))
}

#[module(visibility = "")]
impl Desk {
    #[handler]
    async fn line(&mut self, line: ProcessLine) {
        self.turns.acquire().await.unwrap().forget();
        self.lines.push(line.text);
    }

    /// All that was sent before has been handled.
    #[handler(Settle)]
    fn settle(&self) {}
}

/// Owns a process, and takes what that writes.
#[module(mailbox = 4)]
struct Parent {
    lines: Log<String>,
    config: Option<ProcessConfig>,
    process: Option<ProcessHandle>,
}

#[module(visibility = "")]
impl Parent {
    #[init]
    async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        let config = self.config.take().unwrap().stdout(Output::lines(ctx.self_ref().recipient()));
        self.process = Some(Process::spawn(ctx.supervisor(), config).await?);
        Ok(())
    }

    #[handler(Child)]
    fn child(&self) -> ProcessHandle {
        self.process.clone().unwrap()
    }

    #[handler]
    fn line(&mut self, line: ProcessLine) {
        self.lines.push(line.text);
    }
}

/// More lines than a pipe holds.
const MANY: usize = 20_000;

/// Writes so many lines when it is asked to end.
fn flushes(says: &Says, count: usize) -> ProcessConfig {
    let script = format!("trap 'seq 1 {count}; exit 0' TERM; sleep 600 & echo ready > $SAYS; wait");
    says.heard_by(sh("flushes", &script)).grace(Duration::from_mins(1))
}

fn assert_all_came(process: &ProcessHandle, lines: &Log<String>, count: usize) {
    let report = process.report();
    assert_eq!((report.status, report.stream_troubles), (ProcessStatus::Terminated, 0));
    let lines = lines.take();
    assert!(lines.iter().map(|line| line.parse::<usize>().unwrap()).eq(1..=count), "{} lines", lines.len());
}

#[tokio::test]
async fn what_a_process_writes_at_a_shutdown_comes_to_a_module_that_was_there_before_it() {
    let (system, says, lines) = (System::new(), Says::new(), Log::new());
    let desk =
        system.register_module(Desk { lines: lines.clone(), turns: turns(Semaphore::MAX_PERMITS) }).await.unwrap();
    let config = flushes(&says, MANY).stdout(Output::lines(desk.recipient()));
    let process = Process::spawn(&system, config).await.unwrap();
    assert_eq!(says.line().await, "ready");
    system.shutdown().await;
    assert_all_came(&process, &lines, MANY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_writes_at_a_shutdown_comes_to_its_parent() {
    let (system, says, lines) = (System::new(), Says::new(), Log::new());
    let parent = Parent { lines: lines.clone(), config: Some(flushes(&says, MANY)), process: None };
    let parent = system.register_module(parent).await.unwrap();
    let process = parent.child().await.unwrap();
    assert_eq!(says.line().await, "ready");
    system.shutdown().await;
    assert_all_came(&process, &lines, MANY);
}

#[tokio::test]
async fn what_a_process_writes_when_its_parent_is_stopped_comes_to_that() {
    let (system, says, lines) = (System::new(), Says::new(), Log::new());
    let parent = Parent { lines: lines.clone(), config: Some(flushes(&says, MANY)), process: None };
    let parent = system.register_module(parent).await.unwrap();
    let process = parent.child().await.unwrap();
    assert_eq!(says.line().await, "ready");
    parent.stop().await.unwrap();
    assert_all_came(&process, &lines, MANY);
    system.shutdown().await;
}

/// When it is stopped, it ends a process by itself.
#[module]
struct Ends {
    pid: u32,
}

#[module(visibility = "")]
impl Ends {
    #[stop]
    async fn stop(&mut self) {
        let killed = std::process::Command::new("kill").arg(self.pid.to_string()).status().unwrap();
        assert!(killed.success());
        gone(self.pid).await;
    }
}

#[tokio::test]
async fn what_a_process_wrote_comes_where_it_ended_in_a_shutdown_before_its_turn() {
    let (system, says, lines) = (System::new(), Says::new(), Log::new());
    let desk =
        system.register_module(Desk { lines: lines.clone(), turns: turns(Semaphore::MAX_PERMITS) }).await.unwrap();
    let config = flushes(&says, 100).stdout(Output::lines(desk.recipient()));
    let process = Process::spawn(&system, config).await.unwrap();
    assert_eq!(says.line().await, "ready");
    // Stopped before the process.
    system.register_module(Ends { pid: process.pid().unwrap() }).await.unwrap();
    system.shutdown().await;
    assert_all_came(&process, &lines, 100);
}

/// Hears of troubles.
#[module]
struct Hears {
    troubles: Log<StreamTrouble>,
}

#[module(visibility = "")]
impl Hears {
    #[event]
    fn trouble(&mut self, trouble: &StreamTrouble) {
        self.troubles.push(trouble.clone());
    }

    /// All that was told before has been heard.
    #[handler(Heard)]
    fn heard(&self) {}
}

#[tokio::test]
async fn what_a_full_mailbox_rejects_is_told_of_each_time_and_what_fits_comes() {
    let (system, lines, troubles, may) = (System::new(), Log::new(), Log::new(), turns(0));
    let hears = system.register_module(Hears { troubles: troubles.clone() }).await.unwrap();
    let desk = Desk { lines: lines.clone(), turns: Arc::clone(&may) };
    let desk = system.register_module(desk).mailbox(1).overflow(Overflow::Reject).await.unwrap();
    let process =
        Process::spawn(&system, sh("fast", "seq 1 100").stdout(Output::lines(desk.recipient()))).await.unwrap();
    process.wait().await.unwrap();
    may.add_permits(100);
    desk.settle().await.unwrap();
    hears.heard().await.unwrap();
    let troubles = troubles.all();
    assert!(troubles.iter().all(|trouble| matches!(trouble.error, StreamError::Refused { .. })), "{troubles:?}");
    assert_eq!(troubles.len() + lines.len(), 100);
    assert!((98..100).contains(&troubles.len()), "one is handled, one waits");
    system.shutdown().await;
}

/// Leaves a process behind that writes as fast as it can to the output of `leaves`.
const LEAVES: &str = "import os
heard, says = os.pipe()
if os.fork() == 0:
    os.setsid()
    os.write(says, b'x')
    os.execvp('yes', ['yes'])
os.read(heard, 1)
";

async fn leave_a_writer() {
    let system = System::new();
    let config = ProcessConfig::new("leaves", "python3").args(["-c", LEAVES]);
    let process = Process::spawn(&system, config).await.unwrap();
    process.wait().await.unwrap();
    let report = process.report();
    assert_eq!((report.status, report.stream_troubles), (ProcessStatus::Terminated, 0));
    system.shutdown().await;
}

#[tokio::test]
async fn who_goes_on_writing_to_the_output_of_a_process_does_not_put_off_its_end() {
    leave_a_writer().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_it_take_a_thread_of_the_runtime() {
    leave_a_writer().await;
}
