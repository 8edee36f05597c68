//! A program that exits with 0 where all is well.

use std::process::ChildStderr;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

use super::Reason;
use crate::process::child::Child;
use crate::process::config::ProcessConfig;
use crate::process::spawn;
use crate::process::status::ExitReport;

/// How many bytes of what it says last are kept.
const KEPT: usize = 1024;

/// Dropped, it kills the program, and what that started.
pub(super) async fn run(program: &str, args: &[String], of: &ProcessConfig) -> Result<(), Reason> {
    let failed = |error: String| format!("`{program}` could not be run: {error}");
    let config = of.for_probe(program, args);
    let spawned = spawn::spawn(&config).await.map_err(|error| failed(error.text()))?;
    let child = Child::new(spawned.leader).map_err(|error| failed(error.to_string()))?;
    let mut words = LastWords::new(spawned.pipes.stderr).map_err(|error| failed(error.to_string()))?;
    tokio::select! {
        biased;
        ended = child.ended() => ended.map_err(|error| failed(error.to_string()))?,
        never = words.listen() => never,
    }
    let status = child.bury().map_err(|error| failed(error.to_string()))?;
    let exit = ExitReport::new(child.pid(), status, child.since().elapsed(), false);
    if exit.is_success() {
        return Ok(());
    }
    Err(match words.line() {
        Some(line) => format!("`{program}` {exit}: {line}"),
        None => format!("`{program}` {exit}"),
    })
}

/// The end of what a program writes to its standard error.
struct LastWords {
    pipe: Option<Receiver>,
    tail: Vec<u8>,
}

impl LastWords {
    fn new(pipe: Option<ChildStderr>) -> std::io::Result<Self> {
        let pipe = pipe.map(|pipe| Receiver::from_owned_fd(pipe.into())).transpose()?;
        Ok(Self { pipe, tail: Vec::new() })
    }

    /// Reads, so that the program need not wait.
    async fn listen<N>(&mut self) -> N {
        let mut bytes = [0; KEPT];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut bytes).await {
                Ok(0) | Err(_) => self.pipe = None,
                Ok(count) => self.keep(&bytes[..count]),
            }
        }
        std::future::pending().await
    }

    /// The last line of all that it wrote, where it has ended.
    fn line(mut self) -> Option<String> {
        if let Some(pipe) = self.pipe.take() {
            // Others may write on.
            let mut rest = rustix::io::ioctl_fionread(&pipe).unwrap_or_default();
            let mut bytes = [0; KEPT];
            while rest > 0 {
                let Ok(count @ 1..) = rustix::io::read(&pipe, &mut bytes) else { break };
                self.keep(&bytes[..count]);
                rest = rest.saturating_sub(count as u64);
            }
        }
        let text = String::from_utf8_lossy(&self.tail);
        text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        let surplus = self.tail.len().saturating_sub(KEPT);
        self.tail.drain(..surplus);
    }
}
