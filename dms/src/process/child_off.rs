//! Stands in for a process where none is spawned: there is none.

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Instant;

use rustix::process::Pid;

use super::id::ProcessId;
use super::signal::Signal;

/// What was spawned.
pub(super) enum Leader {}

/// A process whose end a task can wait for.
#[derive(Debug)]
pub(super) enum Child {}

#[allow(clippy::unused_async, clippy::unused_self, reason = "as where there are any")]
impl Child {
    pub(super) fn new(leader: Leader) -> io::Result<Self> {
        match leader {}
    }

    pub(super) fn pid(&self) -> u32 {
        match *self {}
    }

    pub(super) fn number(&self) -> Pid {
        match *self {}
    }

    pub(super) fn since(&self) -> Instant {
        match *self {}
    }

    pub(super) fn group(&self) -> Option<Pid> {
        match *self {}
    }

    pub(super) fn signal(&self, _: Signal) -> io::Result<bool> {
        match *self {}
    }

    pub(super) fn ask_to_end(&self) -> io::Result<Instant> {
        match *self {}
    }

    pub(super) fn is_asked_to_end(&self) -> bool {
        match *self {}
    }

    pub(super) async fn ended(&self) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn bury_later(self: Arc<Self>, _: &ProcessId, _: impl FnOnce(ExitStatus) + Send + 'static) {
        match *self {}
    }

    pub(super) fn bury(&self) -> io::Result<ExitStatus> {
        match *self {}
    }

    pub(super) async fn gone(&self) {
        match *self {}
    }
}
