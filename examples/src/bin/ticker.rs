//! Ticks: requests for the same message add up, each keeps its own time, and each is stopped alone.
//!
//! ```sh
//! cargo run -p dms-examples --bin ticker
//! ```
//!
//! It runs on a paused clock, which jumps to the next tick when all is done. It prints
//!
//! ```text
//! every 2 s from 0, every 3 s from 1: 2 4 4 6 7 8 10 10
//! the first stopped at 10: 13 16 19
//! heartbeats of its own, every 5 s: 4
//! ```

use std::error::Error;
use std::time::Duration;

use dms::prelude::*;
use tokio::time::{Instant, sleep};

/// Remembers when it was told to.
#[module]
struct Ticker {
    begun: Instant,
    times: Vec<u64>,
    heartbeats: u32,
}

/// What is requested periodically must be `Clone`: each tick is a message of its own.
#[derive(Clone)]
struct Note;

#[module]
impl Ticker {
    #[handler]
    fn note(&mut self, _: Note) {
        self.times.push(self.begun.elapsed().as_secs());
    }

    #[handler(Take)]
    fn take(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.times)
    }

    #[handler(Heartbeats)]
    fn heartbeats(&self) -> u32 {
        self.heartbeats
    }

    /// What a module does on its own time, from its start to its end.
    #[tick(every = "5s")]
    fn beat(&mut self) {
        self.heartbeats += 1;
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let system = System::new();
    let begun = Instant::now();
    let ticker = system.register_module(Ticker { begun, times: Vec::new(), heartbeats: 0 }).await?;

    let second = Duration::from_secs(1);
    let twos = ticker.request_tick(Note, 2 * second);
    sleep(second).await;
    let threes = ticker.request_tick(Note, 3 * second);
    sleep(9 * second + second / 2).await;
    println!("every 2 s from 0, every 3 s from 1: {}", list(&ticker.take().await?));

    twos.stop();
    sleep(10 * second).await;
    println!("the first stopped at 10: {}", list(&ticker.take().await?));

    threes.stop();
    println!("heartbeats of its own, every 5 s: {}", ticker.heartbeats().await?);
    system.shutdown().await;
    Ok(())
}

fn list(times: &[u64]) -> String {
    times.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
}
