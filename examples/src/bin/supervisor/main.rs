//! A small init: starts the processes that a file names, keeps them running, shows how they are, and stops them.
//!
//! ```sh
//! cargo run --release -p dms-examples --bin supervisor -- FILE.toml [--seconds N]
//! ```
//!
//! `examples/supervisor.toml` is such a file: a web server, a loop of the shell that needs it, one that fails, and one that takes too much memory. All of a file is looked at before anything starts: each mistake is told with its
//! line and what to do, and the exit code is 2. A process starts once those that it depends on are up, which is when they have passed their first health check, where they have one. Ctrl-C, `SIGTERM`, `SIGHUP` and the end of the N
//! seconds stop all, those first that started last; a second one of them kills what is left at once. It also ends when nothing is left that could run.
//!
//! On a terminal it draws ten times a second who is how:
//!
//! ```console
//! 2 of 4 processes run   1 s
//!
//! process   status           pid  cpu %    memory  restarts       up  health
//! web       idle           27036    5.0  20.7 MiB         0      1 s  healthy
//! clock     idle           27107    0.0   1.6 MiB         0      0 s  healthy
//! crasher   backoff                                       2                     again in 1.0 s; exited with 3; …
//! hog       failed                                        0                     went over its limit of memory: …
//!
//!    …
//!    0.9 s   hog: 53.4MiB of 64MiB memory in use
//!    1.1 s   hog: 62.4MiB of 64MiB memory in use
//!    1.2 s   crasher: exited with 3; it said: out of luck
//!    1.2 s   crasher: starts again in 1136 ms
//!    1.3 s   hog: went over its limit of memory: it used 66.4MiB, and may use 64MiB
//!    1.3 s   hog: given up after 1 start
//!
//! Ctrl-C stops all, the youngest first
//! ```
//!
//! Elsewhere it prints line by line what happens, and what the processes write. With that file and Ctrl-C after some seconds that is, the processes mixed as it comes,
//!
//! ```text
//!    … s   clock: up, pid …
//!    … s   clock | tick
//!    … s   crasher: up, pid …
//!    … s   crasher: exited with 3; it said: out of luck
//!    … s   crasher: starts again in … ms
//!    … s   crasher: up, pid …
//!    … s   crasher: exited with 3; it said: out of luck
//!    … s   crasher: starts again in … ms
//!    … s   crasher: up, pid …
//!    … s   crasher: exited with 3; it said: out of luck
//!    … s   crasher: starts again in … ms
//!    … s   crasher: up, pid …
//!    … s   crasher: exited with 3; it said: out of luck
//!    … s   crasher: given up after 4 starts
//!    … s   hog: up, pid …
//!    … s   hog: … of 64MiB memory in use
//!    … s   hog: went over its limit of memory: it used …MiB, and may use 64MiB
//!    … s   hog: given up after 1 start
//!    … s   web: up, pid …
//!    … s   web | Serving HTTP on 127.0.0.1 port …
//!    … s   SIGINT: stopping all
//!    … s   clock: stopping
//!    … s   clock: was ended by SIGTERM
//!    … s   web: stopping
//!    … s   web: was ended by SIGTERM
//!
//! web         was ended by SIGTERM
//! clock       was ended by SIGTERM
//! crasher     exited with 3; it said: out of luck (4 starts)
//! hog         went over its limit of memory: it used …MiB, and may use 64MiB
//! ```
//!
//! The exit code is 0, or 1 where a process failed for good or was never started for want of another one.
//!
//! # The modules
//! `Init` knows the order, starts the processes and stops them. Each process is a module too, the child of a `Service`: a process that fails for good fails its supervisor, and so its own one only, which begins again without it.
//! `Screen` hears of every change and of every line that the processes write, and shows both.

mod display;
mod end;
mod file;
mod frame;
mod init;
mod screen;
mod service;
mod terminal;

use std::error::Error;
use std::io::{self, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use dms::prelude::*;
use dms::process::{Output, ProcessConfig};
use tokio::signal::unix::{Signal, SignalKind, signal};

use display::Display;
use end::End;
use init::{Init, InitRef as _};
use screen::{Screen, ScreenRef as _};

/// Why nothing is started, as an exit code.
const WRONG_USE: u8 = 2;

/// What the command line says.
struct Arguments {
    file: String,
    time: Option<Duration>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match arguments(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("supervisor: {error}\nusage: supervisor FILE.toml [--seconds N]");
            return ExitCode::from(WRONG_USE);
        }
    };
    let plan = match file::read(&arguments.file) {
        Ok(plan) => plan,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return ExitCode::from(WRONG_USE);
        }
    };
    match run(plan, arguments.time).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("supervisor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let (mut file, mut time) = (None, None);
    while let Some(word) = words.next() {
        if word == "--seconds" {
            let number = words.next().ok_or("`--seconds` wants a number behind it")?;
            let seconds = number.parse().map_err(|error| format!("`--seconds {number}`: {error}"))?;
            time =
                Some(Duration::try_from_secs_f64(seconds).map_err(|error| format!("`--seconds {number}`: {error}"))?);
        } else if word.starts_with('-') {
            return Err(format!("unknown argument `{word}`"));
        } else if file.is_some() {
            return Err(format!("one file is enough, and `{word}` is another"));
        } else {
            file = Some(word);
        }
    }
    Ok(Arguments { file: file.ok_or("which file?")?, time })
}

async fn run(plan: Vec<ProcessConfig>, time: Option<Duration>) -> Result<ExitCode, Box<dyn Error>> {
    let mut signals = Signals::new()?;
    let (display, thread) = Display::start();
    let system = System::builder("supervisor").build();
    let ends = look_after(&system, plan, time, display, &mut signals).await;
    system.shutdown().await;
    // The screen has gone, and its display with it.
    let _ = thread.join();
    let ends = ends?;
    let ended: Vec<_> = ends.iter().map(End::to_string).collect();
    // Whoever reads may have had enough.
    let _ = writeln!(io::stdout(), "\n{}", ended.join("\n"));
    Ok(if ends.iter().any(|end| end.is_failure) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Runs the processes until all have ended, by themselves or because somebody asked for it.
async fn look_after(
    system: &SystemRef,
    plan: Vec<ProcessConfig>,
    time: Option<Duration>,
    display: Display,
    signals: &mut Signals,
) -> Result<Vec<End>, Box<dyn Error>> {
    let processes = plan.iter().map(|config| (config.id().to_string(), config.dependencies().to_vec())).collect();
    let screen = system.register_module(Screen::new(display, processes)).await?;
    let defaults = ProcessConfig::default().stdout(Output::lines(screen.recipient()));
    let init = system.register_module(Init::new(plan, defaults, screen.clone())).await?;

    let ends = until_over(&init, &screen, time, signals).await?;
    // Of the last changes it may not have heard yet, and a shutdown does not wait for that.
    screen.caught_up().await?;
    Ok(ends)
}

async fn until_over(
    init: &ModuleRef<Init>,
    screen: &ModuleRef<Screen>,
    time: Option<Duration>,
    signals: &mut Signals,
) -> Result<Vec<End>, Box<dyn Error>> {
    let mut finished = pin!(init.finished().no_timeout().into_future());
    let why = tokio::select! {
        ends = &mut finished => return Ok(ends?),
        signal = signals.next() => signal,
        () = tokio::time::sleep(time.unwrap_or(Duration::MAX)) => "the time is over",
    };
    screen.stopping(why.to_owned()).await?;
    init.stop_all().await??;
    tokio::select! {
        ends = &mut finished => return Ok(ends?),
        _ = signals.next() => init.kill_all().await?,
    }
    Ok(finished.await?)
}

/// What asks a program to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next of them, by its name.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hangup.recv() => "SIGHUP",
        }
    }
}
