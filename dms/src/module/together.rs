//! Restarts of siblings together, where their supervisor's strategy is not [`OneForOne`](crate::recovery::Strategy::OneForOne).
//!
//! The module that failed conducts: it has those that the strategy names end, the youngest first, waits, and has them begin again, the oldest first, itself among
//! them. One conducts at a time, of all children of one parent. A module that is told by another one follows, also if it has failed itself meanwhile. Where the conductor
//! is gone, those that follow go on by themselves.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::{Mutex, oneshot};

use super::cell::{AnyCell, Cell, control};
use super::handler::Module;
use super::lifecycle::{ModuleId, ModuleState};

/// Who conducts, of the children of one parent.
pub(crate) type Baton = Arc<Mutex<()>>;

/// What a module that follows has from its conductor.
pub(crate) struct Ticket {
    /// Told when its incarnation has ended.
    pub(crate) down: oneshot::Sender<()>,
    /// Ready when it is to begin again.
    pub(crate) turn: oneshot::Receiver<()>,
    /// Told when it has, or could not.
    pub(crate) up: oneshot::Sender<()>,
}

/// The conductor's side of a [`Ticket`].
pub(crate) struct Follower {
    pub(crate) id: ModuleId,
    turn: oneshot::Sender<()>,
    up: oneshot::Receiver<()>,
}

/// Has the modules end, one after the other; gives those that are to begin again, the oldest first. `None` where the conductor is to end meanwhile.
pub(crate) async fn suspend<O: Module>(cell: &Cell<O>, modules: Vec<Arc<dyn AnyCell>>) -> Option<Vec<Follower>> {
    let mut followers = Vec::new();
    for module in modules {
        let (say_down, down) = oneshot::channel();
        let (turn, its_turn) = oneshot::channel();
        let (say_up, up) = oneshot::channel();
        let ticket = Ticket { down: say_down, turn: its_turn, up: say_up };
        if module.suspend(cell.core.module_name(), ticket) {
            // Whoever is told to end for good drops its ticket.
            let _ = unless_ending(cell, down).await?;
            followers.push(Follower { id: module.core().id, turn, up });
        } else {
            module.quiesce(control::STOP);
            unless_ending(cell, module.core().wait_until(ModuleState::is_ended)).await?;
        }
    }
    followers.reverse();
    Some(followers)
}

/// Has modules begin again, one after the other; whether one could matters to itself.
pub(crate) async fn resume(followers: Vec<Follower>) {
    for Follower { turn, up, .. } in followers {
        // Whoever is told to end for good drops its ticket.
        let _ = turn.send(());
        let _ = up.await;
    }
}

/// Waits for `future`; `None` where the module is told to end before.
pub(crate) async fn unless_ending<O: Module, F: Future>(cell: &Cell<O>, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        // The control is told under this lock: whoever tells it later finds the waker, which is there since this poll began.
        let _ = cell.mailbox.queued();
        if cell.core.is_ending() {
            return Poll::Ready(None);
        }
        future.as_mut().poll(cx).map(Some)
    })
    .await
}
