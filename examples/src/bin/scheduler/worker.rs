//! Who runs jobs, a slice at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dms::prelude::*;
use tokio::task::{JoinError, spawn_blocking};

use super::job::Job;

/// Runs jobs for the scheduler, whose child it is.
#[module]
#[derive(Default)]
pub(crate) struct Worker {
    stopped: Arc<AtomicBool>,
}

/// What a worker did in a slice of time.
#[derive(Debug)]
pub(crate) struct Slice {
    /// The job as it is now.
    pub(crate) job: Job,
    pub(crate) begun: Instant,
    pub(crate) took: Duration,
}

#[module]
impl Worker {
    /// Computes on a thread of its own, so that the module can be told to stop meanwhile.
    #[handler(RunSlice)]
    fn run_slice(&mut self, job: Job, quantum: Duration, reply: ReplyTo<Slice>, ctx: &mut Context<Self>) {
        let stopped = Arc::clone(&self.stopped);
        ctx.spawn("slice", async move {
            let slice = spawn_blocking(move || {
                let (mut job, begun) = (job, Instant::now());
                job.run_until(|| begun.elapsed() >= quantum || stopped.load(Ordering::Relaxed));
                Slice { job, begun, took: begun.elapsed() }
            });
            reply.send(slice.await?);
            Ok::<(), JoinError>(())
        });
    }
    /// Nobody else can end a slice that computes.
    #[stop]
    fn stop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}
