//! Every form of a health check.

use std::fmt::Debug;

use dms::prelude::*;

#[module]
struct Cache<T> {
    entries: Vec<T>,
}

#[module]
impl<T: Clone + Debug> Cache<T> {
    #[health(every = "1m 30s", timeout = "250ms", failures = 5, successes = 1)]
    async fn health(&mut self, ctx: &mut Context<Self>) -> Result<HealthStatus, ModuleError> {
        let full = format!("{} of {} is full", ctx.name(), self.entries.len());
        Ok(if self.entries.len() < 10 { HealthStatus::Healthy } else { HealthStatus::Degraded(full) })
    }

    #[handler]
    fn put(&mut self, Put(entry): Put<T>) {
        self.entries.push(entry);
    }
}

pub struct Put<T>(T);

#[module]
struct Link;

/// One check under each condition, by its path, beside a loop that matches on it.
#[module(visibility = "pub(crate)")]
impl Link {
    #[cfg(debug_assertions)]
    #[dms::health]
    fn check(&self) -> bool {
        true
    }

    #[cfg(not(debug_assertions))]
    #[dms::health(every = "1s",)]
    fn check(&self) -> bool {
        true
    }

    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
        while let Some(message) = inbox.recv().await {
            match message {
                LinkMessage::Check => inbox.dispatch(LinkMessage::Check, self, ctx).await,
            }
        }
    }
}

#[module]
struct Quiet;

#[module]
impl Quiet {
    #[health()]
    fn is_there(&self) -> Result<(), std::io::Error> {
        Ok(())
    }
}

fn main() {}
