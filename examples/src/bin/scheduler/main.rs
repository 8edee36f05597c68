//! A round-robin scheduler: jobs share a few workers in slices of time.
//!
//! ```sh
//! cargo run --release -p dms-examples --bin scheduler -- [--config FILE] [--drill] [NAME=LIMIT]...
//! ```
//!
//! Each job counts the primes below its LIMIT; without any there are six. `--drill` acts out a shortage of memory while they run. It prints
//!
//! ```text
//! status: {"quantum_ms":…,"workers":2,"running":…,"ready":…,"done":…,"refused":…,"shed":…,"lost":0,"pressure":"…"}
//!
//! worker-0  …
//! worker-1  …
//!
//!    job        below    primes  state    worker-0  worker-1   ran ms  waited ms
//! a  anna       50000      5133  done     …  …  …  …
//! b  bernd     100000      9592  done     …  …  …  …
//! c  clara     150000     13848  done     …  …  …  …
//! d  david     200000     17984  done     …  …  …  …
//! e  emma      250000     22044  done     …  …  …  …
//! f  franz     300000     25997  done     …  …  …  …
//! ```
//!
//! Behind a worker stands whom it ran, a letter a slice; in the table, how many slices of a job each worker ran, and how long the job waited for its turns.
//! On a terminal a line shows how far it is. Ctrl-C ends it, and it prints what ran until then.
//!
//! FILE is TOML, and read again at SIGHUP:
//!
//! ```toml
//! [scheduler]
//! quantum_ms = 10   # how long a job runs before it is another one's turn
//! workers = 2       # how many run at once; read once
//! ```
//!
//! The environment overrides it: `JOBS_SCHEDULER__QUANTUM_MS=50`. The host's memory pressure reaches the scheduler on Linux: under medium pressure it takes no
//! job, under critical pressure it lets go of those that have not begun.
//!
//! # The modules
//! The `Scheduler` depends on the `Ledger`, which is started before it and stopped behind it. The `Worker`s are the scheduler's children. The status is asked for by
//! the scheduler's name, as somebody would who does not know its type. The exit code is 0; 1 where something is wrong with the configuration; 2 for wrong arguments;
//! 130 after Ctrl-C.

mod job;
mod ledger;
mod scheduler;
mod worker;

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use dms::Config;
use dms::event::{MemoryPressure, PressureLevel};
use dms::prelude::*;

use job::Job;
use ledger::{Ledger, LedgerRef as _};
use scheduler::{Scheduler, SchedulerRef as _, Settings, Status};

const DEFAULTS: &str = "[scheduler]\nquantum_ms = 10\nworkers = 2\n";

/// Why a run ends without a result, as an exit code.
const WRONG_USE: u8 = 2;

/// What a shell says of a process that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

/// What the command line says.
#[derive(Default)]
struct Arguments {
    config: Option<String>,
    drill: bool,
    jobs: Vec<Job>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("scheduler: {error}\nusage: scheduler [--config FILE] [--drill] [NAME=LIMIT]...");
            return ExitCode::from(WRONG_USE);
        }
    };
    match run(arguments).await {
        Ok(code) => code,
        Err(error) => {
            // An error says one level; what caused it is its source.
            eprintln!("scheduler: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let mut config = Config::builder().defaults(DEFAULTS);
    if let Some(path) = &arguments.config {
        config = config.file(path);
    }
    let system = System::builder("jobs").config(config.environment("JOBS").build()?).build();
    // The ledger starts first: the scheduler depends on it.
    let (scheduler, ledger) = system.register_all((Scheduler::default(), Ledger::default())).await?;

    let work = async {
        submit(&scheduler, arguments.jobs).await?;
        println!("status: {}", status(&system).await?);
        if arguments.drill {
            drill(&system, &scheduler).await?;
        }
        scheduler.finished().no_timeout().await?;
        Ok::<_, Box<dyn Error>>(())
    };
    let interrupted = tokio::select! {
        end = work => end.map(|()| false)?,
        error = show_progress(&system) => return Err(error),
        error = reload_at_hangup(&system) => return Err(error.into()),
        signal = tokio::signal::ctrl_c() => signal.map(|()| true)?,
    };
    let drawing = ledger.draw().await?;
    system.shutdown().await;
    match write!(io::stdout().lock(), "\n{drawing}") {
        // Whoever reads the output may have had enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ if interrupted => Ok(ExitCode::from(INTERRUPTED)),
        _ => Ok(ExitCode::SUCCESS),
    }
}

async fn submit(scheduler: &ModuleRef<Scheduler>, jobs: Vec<Job>) -> Result<(), AskError> {
    for job in jobs {
        let name = job.name.clone();
        if let Err(refused) = scheduler.submit(job).await? {
            println!("{name} is refused: {refused}");
        }
    }
    Ok(())
}

/// What the scheduler says of itself, to somebody who only knows its name.
async fn status(system: &SystemRef) -> Result<String, Box<dyn Error>> {
    let response = system.request("scheduler", Request::new("get_status", "")).await?;
    Ok(String::from_utf8(response.into_result()?)?)
}

/// Acts out a shortage of memory, as the system would publish it.
async fn drill(system: &SystemRef, scheduler: &ModuleRef<Scheduler>) -> Result<(), Box<dyn Error>> {
    for (level, name) in [(PressureLevel::Critical, "george"), (PressureLevel::None, "hanna")] {
        let counts = system.publish(MemoryPressure { level }).await;
        println!("memory pressure is {level}: {counts}");
        submit(scheduler, vec![Job::new(name, 100_000)]).await?;
    }
    println!("status: {}", status(system).await?);
    Ok(())
}

/// Shows on a terminal how far it is; returns if that cannot be found out.
async fn show_progress(system: &SystemRef) -> Box<dyn Error> {
    if !io::stderr().is_terminal() {
        return std::future::pending().await;
    }
    loop {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let status: Status = match system.request("scheduler", Request::new("get_status", "")).await {
            Ok(response) => match response.decode() {
                Ok(status) => status,
                Err(error) => return error.into(),
            },
            Err(error) => return error.into(),
        };
        eprint!("\r{} running, {} ready, {} done   \r", status.running, status.ready, status.done);
    }
}

/// Reads the configuration again at each SIGHUP; returns if that cannot be listened to.
#[cfg(unix)]
async fn reload_at_hangup(system: &SystemRef) -> io::Error {
    use tokio::signal::unix::{SignalKind, signal};

    let mut hangup = match signal(SignalKind::hangup()) {
        Ok(hangup) => hangup,
        Err(error) => return error,
    };
    while hangup.recv().await.is_some() {
        match reload(system).await {
            Ok(status) => eprintln!("scheduler: read the configuration again: {status}"),
            Err(error) => eprintln!("scheduler: the configuration stays as it was: {error}"),
        }
    }
    io::Error::other("no signal comes any more")
}

/// Gives the status of the scheduler once it has heard of it.
#[cfg(unix)]
async fn reload(system: &SystemRef) -> Result<String, Box<dyn Error>> {
    let counts = system.reload_config().await?.published.await;
    if counts.failed > 0 {
        // The scheduler did not take its new settings; whoever reads them finds out why.
        system.config().section::<Settings>("scheduler")?;
    }
    status(system).await
}

#[cfg(not(unix))]
async fn reload_at_hangup(_: &SystemRef) -> io::Error {
    std::future::pending().await
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--config" => arguments.config = Some(words.next().ok_or("`--config` wants a FILE behind it")?),
                "--drill" => arguments.drill = true,
                word if word.starts_with('-') => return Err(format!("unknown argument `{word}`")),
                job => arguments.jobs.push(job.parse()?),
            }
        }
        if arguments.jobs.is_empty() {
            let names = ["anna", "bernd", "clara", "david", "emma", "franz"];
            arguments.jobs = names.into_iter().zip(1..).map(|(name, size)| Job::new(name, size * 50_000)).collect();
        }
        Ok(arguments)
    }
}
