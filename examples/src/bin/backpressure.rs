//! A bounded mailbox, and what its four policies do with a sender that is faster than the module.
//!
//! ```sh
//! cargo run -p dms-examples --bin backpressure
//! ```
//!
//! A module takes 10 ms for each of 10 jobs; 4 may wait. It runs on a paused clock. It prints
//!
//! ```text
//! wait: did [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], the sender waited 50 ms
//! reject: did [0, 1, 2, 3, 4], 5 came back, the sender waited 0 ms
//! drop_oldest: did [0, 6, 7, 8, 9], 5 undelivered, the sender waited 0 ms
//! drop_newest: did [0, 1, 2, 3, 4], 5 undelivered, the sender waited 0 ms
//! ```

use std::error::Error;
use std::time::Duration;

use dms::prelude::*;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

/// Takes its time. `mailbox = 4` bounds what waits; the policy is `wait` unless `overflow = …` or the registration
/// says otherwise.
#[module(mailbox = 4)]
struct Worker {
    done: mpsc::UnboundedSender<u32>,
}

#[module]
impl Worker {
    #[handler(Job)]
    async fn job(&mut self, number: u32) {
        sleep(Duration::from_millis(10)).await;
        // The receiver outlives the worker.
        let _ = self.done.send(number);
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let system = System::new();
    let policies = [
        ("wait", Overflow::Wait),
        ("reject", Overflow::Reject),
        ("drop_oldest", Overflow::DropOldest),
        ("drop_newest", Overflow::DropNewest),
    ];
    for (name, policy) in policies {
        let (done, mut jobs) = mpsc::unbounded_channel();
        let worker = system.register_module(Worker { done }).overflow(policy).await?;

        // The worker takes the first job in hand, so that it does not wait.
        worker.send(Job { number: 0 }).await?;
        while worker.depth() > 0 {
            yield_now().await;
        }

        let begun = Instant::now();
        let mut back = Vec::new();
        for number in 1..10 {
            match worker.send(Job { number }).await {
                Ok(()) => {}
                // The message is in the error: send it later, elsewhere, or not at all.
                Err(SendError::Full(Job { number }, _)) => back.push(number),
                Err(error) => return Err(error.into()),
            }
        }
        let waited = begun.elapsed();

        // Drained, the worker still does what it has accepted, and says what it has not done.
        let undelivered = worker.drain().await.unwrap().undelivered;
        let mut did = Vec::new();
        while let Some(number) = jobs.recv().await {
            did.push(number);
        }
        print!("{name}: did {did:?}");
        if !back.is_empty() {
            print!(", {} came back", back.len());
        }
        if undelivered > 0 {
            print!(", {undelivered} undelivered");
        }
        println!(", the sender waited {} ms", waited.as_millis());
    }
    system.shutdown().await;
    Ok(())
}
