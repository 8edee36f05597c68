//! A test's body on each kind of runtime.

use std::fmt;
use std::future::Future;
use std::sync::mpsc;
use std::time::Duration;
use std::{process, thread};

use tokio::runtime::{Builder, Runtime};

/// The runtimes of the contract's line M1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// One thread, real time.
    CurrentThread,
    /// One thread, a clock that jumps to the next timer when there is nothing to do.
    Paused,
    /// Two threads, real time.
    MultiThread,
}

impl Flavor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CurrentThread, Self::Paused, Self::MultiThread];

    /// A runtime of this kind.
    ///
    /// # Panics
    /// When the operating system gives none.
    #[must_use]
    pub fn runtime(self) -> Runtime {
        let mut builder = match self {
            Self::CurrentThread | Self::Paused => Builder::new_current_thread(),
            Self::MultiThread => Builder::new_multi_thread(),
        };
        if self == Self::MultiThread {
            builder.worker_threads(2);
        }
        builder.enable_all().start_paused(self == Self::Paused).build().expect("a runtime")
    }

    /// Runs `body` to its end.
    ///
    /// Where a thread is never given back, no timeout can fire: after two minutes the process ends.
    ///
    /// # Panics
    /// When it hangs: for half a minute, or for four hours of a paused clock.
    pub fn run<F: Future>(self, body: impl FnOnce() -> F) -> F::Output {
        let patience = Duration::from_secs(if self == Self::Paused { 4 * 3_600 } else { 30 });
        let _named = Named(self);
        let _watched = Watched::begin(self);
        let runtime = self.runtime();
        let output = runtime.block_on(async {
            tokio::time::timeout(patience, body()).await.unwrap_or_else(|_| panic!("it hangs on {self}"))
        });
        runtime.shutdown_background();
        output
    }
}

impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CurrentThread => "current_thread",
            Self::Paused => "current_thread with a paused clock",
            Self::MultiThread => "multi_thread with 2 workers",
        })
    }
}

/// Ends the process unless it is dropped in time.
struct Watched {
    _end: mpsc::Sender<()>,
}

impl Watched {
    fn begin(flavor: Flavor) -> Self {
        let (end, ended) = mpsc::channel::<()>();
        let test = thread::current().name().unwrap_or("a test").to_owned();
        let patience = Duration::from_secs(if is_long() { 1_200 } else { 120 });
        thread::spawn(move || {
            if ended.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!("{test} holds its thread on {flavor}");
                process::exit(101);
            }
        });
        Self { _end: end }
    }
}

/// Says on which runtime a test failed.
struct Named(Flavor);

impl Drop for Named {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("failed on {}", self.0);
        }
    }
}

/// Runs `body` on each kind of runtime.
pub fn on_every_runtime<F: Future<Output = ()>>(body: impl Fn() -> F) {
    for flavor in Flavor::ALL {
        flavor.run(&body);
    }
}

/// Runs `body` on one thread with a paused clock.
pub fn on_paused<F: Future<Output = ()>>(body: impl FnOnce() -> F) {
    Flavor::Paused.run(body);
}

/// Lets all that can run do so. On several threads it is a hint at most: see [`eventually`].
pub async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

/// Waits until `holds`.
///
/// # Panics
/// When it does not for ten seconds.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("for ten seconds not: {what}");
}

/// Whether the long variants are asked for: `DMS_LONG=1`.
#[must_use]
pub fn is_long() -> bool {
    std::env::var_os("DMS_LONG").is_some_and(|value| !value.is_empty() && value != "0")
}

/// `short`, or `long` with `DMS_LONG=1`.
#[must_use]
pub fn cases(short: u32, long: u32) -> u32 {
    if is_long() { long } else { short }
}
