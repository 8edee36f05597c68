//! xtra: a type per message, `impl Handler` on the actor.
//!
//! A tell is a `send` that is detached, as in xtra's examples.

use std::time::Duration;

use xtra::prelude::*;

use super::{Ask, Contestant, Flavor, Join, Side, Stop, Tell, Ticks};
use crate::message::{Ball, Kept, Number, Passing, Payload, Question, Tally};

/// xtra.
#[derive(Clone, Copy)]
pub(crate) struct Xtra;

impl Contestant for Xtra {
    type Counter = Address<Counter>;
    type Clerk = Address<Counter>;
    type Bounded = Address<Counter>;
    type Bulk = Address<Counter>;
    type Player = Address<Player>;
    type Keeper = Address<Keeper>;
    type Ticker = Address<Ticker>;

    fn run<F>(flavor: Flavor, work: impl FnOnce(Self) -> F + Send + 'static) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        flavor.run(async { work(Self).await })
    }

    async fn counter(&self, _: Side, tally: Tally) -> Option<Self::Counter> {
        Some(xtra::spawn_tokio(Counter { tally }, Mailbox::unbounded()))
    }

    async fn clerk(&self, _: Side) -> Self::Clerk {
        xtra::spawn_tokio(Counter { tally: Tally::unused() }, Mailbox::unbounded())
    }

    async fn bounded(&self, _: Side, capacity: usize, tally: Tally) -> Option<Self::Bounded> {
        Some(xtra::spawn_tokio(Counter { tally }, Mailbox::bounded(capacity)))
    }

    async fn bulk(&self, _: Side, tally: Tally) -> Option<Self::Bulk> {
        Some(xtra::spawn_tokio(Counter { tally }, Mailbox::unbounded()))
    }

    async fn player(&self, _: Side, passing: Passing) -> Self::Player {
        xtra::spawn_tokio(Player { passing, next: None }, Mailbox::unbounded())
    }

    async fn keeper(&self, _: Side, kept: Kept) -> Self::Keeper {
        xtra::spawn_tokio(Keeper { kept }, Mailbox::unbounded())
    }

    /// xtra has no timers: a task that owns the interval and tells its actor.
    async fn ticker(&self, _: Side, period: Duration, ticks: Ticks) -> Self::Ticker {
        let ticker = xtra::spawn_tokio(Ticker { ticks }, Mailbox::unbounded());
        let actor = ticker.clone();
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(period);
            loop {
                interval.tick().await;
                if actor.send(Tick).detach().await.is_err() {
                    break;
                }
            }
        });
        ticker
    }
}

/// Counts what it is told.
#[derive(xtra::Actor)]
pub(crate) struct Counter {
    tally: Tally,
}

impl Handler<Number> for Counter {
    type Return = ();

    async fn handle(&mut self, number: Number, _: &mut Context<Self>) {
        self.tally.add(number);
    }
}

impl Handler<Payload> for Counter {
    type Return = ();

    async fn handle(&mut self, payload: Payload, _: &mut Context<Self>) {
        self.tally.add(payload.into());
    }
}

impl Handler<Question> for Counter {
    type Return = u64;

    async fn handle(&mut self, question: Question, _: &mut Context<Self>) -> u64 {
        question.answer()
    }
}

/// Passes balls on.
#[derive(xtra::Actor)]
pub(crate) struct Player {
    passing: Passing,
    next: Option<Address<Player>>,
}

/// To whom a player passes.
pub(crate) struct PassTo(Address<Player>);

impl Handler<PassTo> for Player {
    type Return = ();

    async fn handle(&mut self, PassTo(next): PassTo, _: &mut Context<Self>) {
        self.next = Some(next);
    }
}

impl Handler<Ball> for Player {
    type Return = ();

    async fn handle(&mut self, ball: Ball, _: &mut Context<Self>) {
        if let (Some(ball), Some(next)) = (self.passing.pass(ball), &self.next) {
            next.tell(ball).await;
        }
    }
}

/// Keeps 64 bytes.
#[derive(xtra::Actor)]
pub(crate) struct Keeper {
    kept: Kept,
}

impl Handler<Question> for Keeper {
    type Return = u64;

    async fn handle(&mut self, question: Question, _: &mut Context<Self>) -> u64 {
        self.kept.answer(question)
    }
}

/// Counts ticks.
#[derive(xtra::Actor)]
pub(crate) struct Ticker {
    ticks: Ticks,
}

/// A message each period.
pub(crate) struct Tick;

impl Handler<Tick> for Ticker {
    type Return = ();

    async fn handle(&mut self, Tick: Tick, _: &mut Context<Self>) {
        self.ticks.count();
    }
}

impl<A, M> Tell<M> for Address<A>
where
    A: Handler<M, Return = ()>,
    M: Send + 'static,
{
    async fn tell(&self, message: M) {
        drop(self.send(message).detach().await.expect("the actor lives"));
    }
}

impl<A: Handler<Question, Return = u64>> Ask for Address<A> {
    async fn ask(&self, number: u64) -> u64 {
        self.send(Question(number)).await.expect("the actor answers")
    }
}

impl Join for Address<Player> {
    async fn join(&self, next: &Self) {
        self.send(PassTo(next.clone())).await.expect("the player answers");
    }
}

impl Stop for Address<Keeper> {
    /// An actor stops when its last address is dropped.
    async fn stop(self) {
        let ended = Address::join(&self);
        drop(self);
        ended.await;
    }
}
