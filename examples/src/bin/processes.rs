//! Programs as modules: spoken to, held to a limit, and started again.
//!
//! ```sh
//! cargo run --release -p dms-examples --bin processes
//! ```
//!
//! This is a program of the README. It prints
//!
//! ```text
//! adder exited with 0: ["3", "42"]
//! hoarder: error: process `hoarder` went over its limit of memory: it used …MiB, and may use 64MiB
//! server: idle
//! server: terminated
//! crasher started 3 times: error: process `crasher` (pid …) exited with 3; it said: no oil
//! module `crasher` failed, and the system with it, which shuts down
//! ```

use std::time::Duration;

use dms::prelude::*;
use dms::process::{Input, Output, ProcessConfig, ProcessLine, ProcessManager, ResourceLimits};
use dms::recovery::{Backoff, Restart};

/// Takes what a process writes. Its bounded mailbox holds the process up.
#[module(mailbox = 64)]
#[derive(Default)]
struct Answers {
    lines: Vec<String>,
}

#[module]
impl Answers {
    #[handler]
    fn line(&mut self, line: ProcessLine) {
        self.lines.push(line.text);
    }

    #[handler(Lines)]
    fn lines(&self) -> Vec<String> {
        self.lines.clone()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::new();
    // What a process does not say is taken from here.
    let manager = ProcessManager::new(&system, ProcessConfig::default().grace(Duration::from_secs(5)));

    let answers = system.register_module(Answers::default()).await?;
    let adder = ProcessConfig::new("adder", "sh")
        .args(["-c", "while read a b; do echo $((a + b)); done"])
        .stdin(Input::Pipe)
        .stdout(Output::lines(answers.recipient()));
    let adder = manager.spawn(adder).await?;
    adder.input().send_line("1 2").await?;
    adder.input().send_line("20 22").await?;
    adder.input().close();
    let exit = adder.wait().await?;
    println!("adder {exit}: {:?}", answers.lines().await?);

    let hoarder = ProcessConfig::new("hoarder", "python3")
        .args(["-c", "import time; hoard = bytearray(200 << 20); time.sleep(60)"])
        .limits(ResourceLimits::new().memory(64 << 20));
    let hoarder = manager.spawn(hoarder).await?;
    hoarder.wait().await?;
    println!("hoarder: {}", hoarder.status());

    let server = ProcessConfig::new("server", "python3").args(["-m", "http.server", "--bind", "127.0.0.1", "0"]);
    let server = manager.spawn(server).await?;
    println!("server: {}", server.status());
    let report = server.stop().await?;
    println!("server: {}", report.status);

    let pause = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));
    let restart = Restart::on_failure().max_restarts(2, Duration::from_mins(1)).backoff(pause);
    let crasher = ProcessConfig::new("crasher", "sh").args(["-c", "echo no oil >&2; exit 3"]).restart(restart);
    let crasher = manager.spawn(crasher).await?;
    crasher.wait().await?;
    println!("crasher started {} times: {}", crasher.report().starts, crasher.status());
    // A process that fails too often fails whoever supervises it: here the system, which shuts down.
    if let Some(failure) = system.failed().await {
        println!("{failure}");
    }
    system.shutdown().await;
    Ok(())
}
