//! A tree of modules that fail now and then, under load, and of those that look after them; drawn live.
//!
//! ```sh
//! cargo run --release -p dms-examples --bin self_healing -- [--seconds N]
//! ```
//!
//! On a terminal it draws ten times a second who is how: the state, how often each was started and how often within its window, how long one that failed waits until it
//! starts again, and how many messages wait in its mailbox meanwhile. Keys do harm: `1` to `5` choose a station, `p` has it panic, `h` has it hang until its
//! health checks find that out, `r` puts another one in its place without losing a message, `q` ends it all.
//! Elsewhere the keys are read from the standard input, what happens is printed line by line, and the tree once, at
//! the end. After `pq` that is
//!
//! ```text
//!    … s   mill gets `p`
//!    … s   mill: panicked in `panic`: somebody pulled the plug; again in … ms
//!    … s   slicer: its supervisor starts it again with `mill`, which failed; again in 0 ms
//!    … s   oven: its supervisor starts it again with `mill`, which failed; again in 0 ms
//!    … s   … handled   3 failures   … % healthy
//!
//!   module     state      health      start  restarts  backoff  mailbox
//!   bakery     running                    1       0/2                                0
//! >   mill     …
//!     oven     …
//!     slicer   …
//!   shop       running                    1       0/2                                0
//!     till     running    healthy         1       0/5  …
//!     scales   running    healthy         1       0/5  …
//!
//!      … s   mill gets `p`
//!      … s   mill: panicked in `panic`: somebody pulled the plug; again in … ms
//!      … s   slicer: its supervisor starts it again with `mill`, which failed; again in 0 ms
//!      … s   oven: its supervisor starts it again with `mill`, which failed; again in 0 ms
//! ```
//!
//! # The modules
//! `Bakery` and `Shop` are supervisors; their children are `Station`s. What one station of the bakery makes the next one needs: those behind one that fails start again
//! with it. A station that fails more often than its window allows fails its supervisor, which starts again with all its stations; one that does so too often ends the
//! system, and the exit code is 1. `Load` orders from every station, well or not; `Screen` hears of every end. The exit code is 0, or 2 for wrong arguments.

mod frame;
mod load;
mod screen;
mod station;

use std::error::Error;
use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use console::Term;
use dms::SystemRef;
use dms::prelude::*;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use load::Load;
use screen::{Screen, ScreenRef as _};
use station::{Bakery, Hang, Panic, Shop, Station};

/// The stations, as the keys have them.
const STATIONS: [&str; 5] = ["mill", "oven", "slicer", "till", "scales"];

/// What is too much for a station that was reloaded.
const NEW_FLAW: u64 = 5_003;

/// Why a run ends without a result, as an exit code.
const WRONG_USE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let time = match arguments(std::env::args().skip(1)) {
        Ok(time) => time,
        Err(error) => {
            eprintln!("self_healing: {error}\nusage: self_healing [--seconds N]");
            return ExitCode::from(WRONG_USE);
        }
    };
    match run(time).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("self_healing: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Option<Duration>, String> {
    let mut time = None;
    while let Some(word) = words.next() {
        if word != "--seconds" {
            return Err(format!("unknown argument `{word}`"));
        }
        let number = words.next().ok_or("`--seconds` wants a number behind it")?;
        let seconds = number.parse().map_err(|error| format!("`--seconds {number}`: {error}"))?;
        time = Some(Duration::try_from_secs_f64(seconds).map_err(|error| format!("`--seconds {number}`: {error}"))?);
    }
    Ok(time)
}

async fn run(time: Option<Duration>) -> Result<ExitCode, Box<dyn Error>> {
    let is_live = io::stdout().is_terminal() && io::stdin().is_terminal();
    // What a panic says is told as news.
    std::panic::set_hook(Box::new(|_| {}));
    let system = System::builder("self_healing").build();
    let screen = system.register_module(Screen::new(is_live)).await?;
    system.register_with(|_| Bakery).name("bakery").await?;
    system.register_with(|_| Shop).name("shop").await?;
    system.register_module(Load::default()).await?;

    if is_live {
        print!("\x1b[?1049h\x1b[?25l");
    }
    let end = async { tokio::time::sleep(time.unwrap_or(Duration::MAX)).await };
    let failure = tokio::select! {
        () = end => None,
        failure = system.failed() => failure,
        result = play(&system, &screen) => result.map(|()| None)?,
        signal = tokio::signal::ctrl_c() => signal.map(|()| None)?,
    };
    let drawing = if failure.is_none() { Some(screen.drawn().await?) } else { None };
    system.shutdown().await;
    if is_live {
        print!("\x1b[?25h\x1b[?1049l");
    }
    if let Some(drawing) = drawing {
        print!("{drawing}");
    }
    io::stdout().flush()?;
    Ok(match failure {
        None => ExitCode::SUCCESS,
        Some(failure) => {
            eprintln!("self_healing: {failure}: {}", failure.failure);
            ExitCode::FAILURE
        }
    })
}

/// Does what the keys say, until one says that it is enough.
async fn play(system: &SystemRef, screen: &ModuleRef<Screen>) -> Result<(), AskError> {
    let mut keys = keys();
    let mut chosen = 0;
    // A reload waits for the handler that runs, and keys do not wait for it.
    let mut reloads = JoinSet::new();
    loop {
        let key = match keys.recv().await {
            Some('q') => return Ok(()),
            Some(key) => key,
            // Nobody is there to press one.
            None => std::future::pending().await,
        };
        if let Some(number) = key.to_digit(10).and_then(|number| usize::try_from(number).ok())
            && (1..=STATIONS.len()).contains(&number)
        {
            chosen = number - 1;
            screen.select(chosen).await?;
            continue;
        }
        let name = STATIONS[chosen];
        let Ok(station) = system.get::<Station>(name) else {
            screen.told(format!("{name} is not there")).await?;
            continue;
        };
        screen.told(format!("{name} gets `{key}`")).await?;
        let sent = match key {
            'p' => station.send(Panic).await.is_ok(),
            'h' => station.send(Hang).await.is_ok(),
            'r' => {
                reloads.spawn(reload(name, station, screen.clone()));
                true
            }
            _ => true,
        };
        if !sent {
            screen.told(format!("{name} has ended meanwhile")).await?;
        }
    }
}

/// Puts another station in the place of one that runs.
async fn reload(name: &'static str, station: ModuleRef<Station>, screen: ModuleRef<Screen>) {
    let what = match station.reload(Station::new(NEW_FLAW)).await {
        Ok(report) => format!("{name}: reloaded, with a pause of {} µs", report.pause.as_micros()),
        Err(error) => format!("{name}: {error}"),
    };
    // A screen that has gone shows nothing any more.
    let _ = screen.told(what).await;
}

/// The keys that are pressed. A thread of its own reads them, since nothing can end it while it waits for one.
fn keys() -> UnboundedReceiver<char> {
    let (sender, keys) = unbounded_channel();
    std::thread::spawn(move || {
        if io::stdin().is_terminal() {
            let terminal = Term::stdout();
            while terminal.read_char().is_ok_and(|key| sender.send(key).is_ok() && key != 'q') {}
        } else {
            for byte in io::stdin().lock().bytes() {
                let Ok(byte) = byte else { return };
                if sender.send(byte.into()).is_err() {
                    return;
                }
            }
        }
    });
    keys
}
