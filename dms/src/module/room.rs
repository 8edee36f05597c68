//! Waiting for room in a full mailbox: first come first served, and cancel safe.
//!
//! A waiting sender leaves its message in the line; the worker moves it into the queue as soon as there is room, whether or not
//! the sender runs. A sender that gives up takes its message back out.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use parking_lot::Mutex;

use super::cell::Cell;
use super::current;
use super::deadlock::{EdgeGuard, On};
use super::error::Cycle;
use super::handler::Module;
use super::message_set::Owner;
use super::span::Sender;

/// A place in the line.
pub(crate) struct Waiter<E> {
    place: Mutex<Place<E>>,
    sender: Sender,
}

struct Place<E> {
    message: Option<E>,
    outcome: Option<Outcome>,
    sender: Option<Waker>,
}

#[derive(Clone, Copy)]
enum Outcome {
    Admitted(u64),
    Refused,
    Left,
}

impl<E> Waiter<E> {
    pub(crate) fn new(message: E, sender: Sender) -> Self {
        Self { place: Mutex::new(Place { message: Some(message), outcome: None, sender: None }), sender }
    }

    /// Who waits.
    pub(crate) fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// Hands over the message, unless its sender has given up.
    pub(crate) fn admit(&self, position: u64) -> Option<(E, Option<Waker>)> {
        let mut place = self.place.lock();
        let message = place.message.take()?;
        place.outcome = Some(Outcome::Admitted(position));
        Some((message, place.sender.take()))
    }

    /// Tells the sender that the module has stopped; the message stays here for it.
    pub(crate) fn refuse(&self) {
        let mut place = self.place.lock();
        if place.outcome.is_none() {
            place.outcome = Some(Outcome::Refused);
            let sender = place.sender.take();
            drop(place);
            if let Some(sender) = sender {
                sender.wake();
            }
        }
    }
}

/// What the deadlock detection asks of a waiter of any type.
pub(crate) trait Waiting: Send + Sync {
    /// Whether there is no room yet.
    fn is_waiting(&self) -> bool;
}

impl<E: Send> Waiting for Waiter<E> {
    fn is_waiting(&self) -> bool {
        self.place.lock().outcome.is_none()
    }
}

/// Why a message that waited is not in the mailbox.
pub(crate) enum Unadmitted {
    Stopped,
    WouldDeadlock(Cycle),
}

/// Waits until the message is in the mailbox; gives its position.
pub(crate) struct Room<T: Module> {
    cell: Arc<Cell<Owner<T>>>,
    waiter: Arc<Waiter<T::Message>>,
    edge: Option<EdgeGuard>,
    refused: Option<Cycle>,
}

impl<T: Module> Room<T> {
    /// Gets in line with `message`; gives it back where the module has stopped.
    pub(crate) fn new(cell: Arc<Cell<Owner<T>>>, message: T::Message) -> Result<Self, T::Message> {
        let waiter = cell.mailbox.wait_in_line(&cell.core, message)?;
        let mut room = Self { cell, waiter, edge: None, refused: None };
        let asker = current::waiting();
        if let Some(asker) = asker {
            let on = On::Room(Arc::clone(&room.waiter) as Arc<dyn Waiting>);
            match EdgeGuard::new(asker, Arc::clone(&room.cell) as _, on) {
                Ok(edge) => room.edge = Some(edge),
                Err(cycle) => room.refused = Some(cycle),
            }
        }
        Ok(room)
    }
}

impl<T: Module> Future for Room<T> {
    type Output = Result<u64, (T::Message, Unadmitted)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut place = this.waiter.place.lock();
        match (place.outcome, this.refused.take()) {
            (Some(Outcome::Admitted(position)), _) => {
                drop(place);
                this.edge = None;
                Poll::Ready(Ok(position))
            }
            (None, None) => {
                if !place.sender.as_ref().is_some_and(|sender| sender.will_wake(cx.waker())) {
                    place.sender = Some(cx.waker().clone());
                }
                Poll::Pending
            }
            (outcome, refused) => {
                place.outcome = Some(Outcome::Left);
                let message = place.message.take();
                drop(place);
                this.edge = None;
                if outcome.is_none() {
                    this.cell.mailbox.leave_line(&this.cell.core, &this.waiter);
                }
                let why = refused.map_or(Unadmitted::Stopped, Unadmitted::WouldDeadlock);
                message.map_or(Poll::Pending, |message| Poll::Ready(Err((message, why))))
            }
        }
    }
}

impl<T: Module> Drop for Room<T> {
    fn drop(&mut self) {
        let mut place = self.waiter.place.lock();
        let waited = place.outcome.is_none();
        if waited {
            place.outcome = Some(Outcome::Left);
        }
        let message = place.message.take();
        drop(place);
        drop(message);
        if waited {
            self.cell.mailbox.leave_line(&self.cell.core, &self.waiter);
        }
    }
}
