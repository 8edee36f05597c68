//! A module's next version takes its place while it runs, and then the place of both in the next process.
//!
//! ```sh
//! cargo run -p dms-examples --bin upgrade
//! ```
//!
//! This is a program of the README. It prints
//!
//! ```text
//! counter 1.0.0 -> 2.0.0, with its state: true
//! 42 after 1 add since
//! 44 after 3 adds since
//! ```

use dms::prelude::*;
use dms::{Snapshot, Version};
use serde::{Deserialize, Serialize};

#[module(name = "counter", version = "1.0.0", flags(HOT_RELOADABLE))]
#[derive(Default)]
struct Counter {
    count: u64,
}

#[derive(Serialize)]
struct Count {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Add)]
    fn add(&mut self, by: u64) -> u64 {
        self.count += by;
        self.count
    }

    /// What of its state is carried over.
    #[snapshot]
    fn snapshot(&self) -> Count {
        Count { count: self.count }
    }
}

/// The next version: it handles the same messages, and knows how often it was asked.
#[module(name = "counter", version = "2.0.0", flags(HOT_RELOADABLE))]
#[derive(Default, Clone, Serialize, Deserialize)]
struct NextCounter {
    count: u64,
    #[serde(default)] // the first version has written none
    adds: u64,
}

#[module(replaces = Counter)]
impl NextCounter {
    #[handler(Add)]
    fn add(&mut self, by: u64) -> u64 {
        self.count += by;
        self.adds += 1;
        self.count
    }

    #[snapshot]
    fn snapshot(&self) -> Self {
        self.clone()
    }

    #[restore]
    fn restore(&mut self, state: Self, _from: Version) {
        *self = state;
    }

    #[stop]
    fn stop(&self) {
        println!("{} after {} add{} since", self.count, self.adds, if self.adds == 1 { "" } else { "s" });
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::new();
    let counter = system.register_module(Counter::default()).await?;
    assert_eq!(counter.add(41).await?, 41);

    let reload = system.reload::<Counter, NextCounter>("counter", |_| NextCounter::default()).await?;
    println!("counter {} -> {}, with its state: {}", reload.old, reload.new, reload.migrated);
    assert_eq!(counter.add(1).await?, 42); // the same reference

    // This process ends; the next one begins with what it leaves.
    let path = std::env::temp_dir().join(format!("counter-{}.snapshot", std::process::id()));
    reload.module.snapshot().await?.save(&path).await?;
    system.shutdown().await;

    let system = System::new();
    let left = Snapshot::load(&path).await?;
    let counter = system.register_module(NextCounter::default()).restored_from(left).await?;
    for expected in [43, 44] {
        assert_eq!(counter.add(1).await?, expected);
    }
    system.shutdown().await;
    std::fs::remove_file(path)?;
    Ok(())
}
