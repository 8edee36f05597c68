//! dms with an open set of messages, as its README says: `DynMessage`, and a `Handler` for each message.

use std::sync::Arc;
use std::time::Duration;

use dms::prelude::*;

use super::{Ask, Contestant, Flavor, Join, Side, Stop, Tell, Ticks};
use crate::message::{Ball, Kept, Number, Passing, Payload, Question, Tally};

/// A system of modules.
#[derive(Clone)]
pub(crate) struct DmsOpen(Arc<System>);

impl Contestant for DmsOpen {
    type Counter = ModuleRef<Counter>;
    type Clerk = ModuleRef<Counter>;
    type Bounded = ModuleRef<Counter>;
    type Bulk = ModuleRef<Counter>;
    type Player = ModuleRef<Player>;
    type Keeper = ModuleRef<Keeper>;
    type Ticker = ModuleRef<Ticker>;

    fn run<F>(flavor: Flavor, work: impl FnOnce(Self) -> F + Send + 'static) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        flavor.run(async { work(Self(Arc::new(System::new()))).await })
    }

    async fn counter(&self, _: Side, tally: Tally) -> Option<Self::Counter> {
        Some(self.0.register_module(Counter { tally }).await.expect("a counter"))
    }

    async fn clerk(&self, _: Side) -> Self::Clerk {
        self.0.register_module(Counter { tally: Tally::unused() }).await.expect("a counter")
    }

    async fn bounded(&self, _: Side, capacity: usize, tally: Tally) -> Option<Self::Bounded> {
        Some(self.0.register_module(Counter { tally }).mailbox(capacity).await.expect("a counter"))
    }

    async fn bulk(&self, _: Side, tally: Tally) -> Option<Self::Bulk> {
        Some(self.0.register_module(Counter { tally }).await.expect("a counter"))
    }

    async fn player(&self, _: Side, passing: Passing) -> Self::Player {
        self.0.register_module(Player { passing, next: None }).await.expect("a player")
    }

    async fn keeper(&self, _: Side, kept: Kept) -> Self::Keeper {
        self.0.register_module(Keeper { kept }).await.expect("a keeper")
    }

    async fn ticker(&self, _: Side, period: Duration, ticks: Ticks) -> Self::Ticker {
        let ticker = self.0.register_module(Ticker { ticks }).await.expect("a ticker");
        ticker.request_tick(Tick, period);
        ticker
    }
}

/// Counts what it is told.
#[module]
pub(crate) struct Counter {
    tally: Tally,
}

impl Module for Counter {
    type Message = DynMessage<Self>;
}

impl Handler<Number> for Counter {
    type Reply = ();

    async fn handle(&mut self, number: Number, _: &mut Context<Self>) {
        self.tally.add(number);
    }
}

impl Handler<Payload> for Counter {
    type Reply = ();

    async fn handle(&mut self, payload: Payload, _: &mut Context<Self>) {
        self.tally.add(payload.into());
    }
}

impl Handler<Question> for Counter {
    type Reply = u64;

    async fn handle(&mut self, question: Question, _: &mut Context<Self>) -> u64 {
        question.answer()
    }
}

/// Passes balls on.
#[module]
pub(crate) struct Player {
    passing: Passing,
    next: Option<ModuleRef<Player>>,
}

impl Module for Player {
    type Message = DynMessage<Self>;
}

/// To whom a player passes.
pub(crate) struct PassTo(ModuleRef<Player>);

impl Handler<PassTo> for Player {
    type Reply = ();

    async fn handle(&mut self, PassTo(next): PassTo, _: &mut Context<Self>) {
        self.next = Some(next);
    }
}

impl Handler<Ball> for Player {
    type Reply = ();

    async fn handle(&mut self, ball: Ball, _: &mut Context<Self>) {
        if let (Some(ball), Some(next)) = (self.passing.pass(ball), &self.next) {
            next.send(ball).await.expect("the next player lives");
        }
    }
}

/// Keeps 64 bytes.
#[module]
pub(crate) struct Keeper {
    kept: Kept,
}

impl Module for Keeper {
    type Message = DynMessage<Self>;
}

impl Handler<Question> for Keeper {
    type Reply = u64;

    async fn handle(&mut self, question: Question, _: &mut Context<Self>) -> u64 {
        self.kept.answer(question)
    }
}

/// Counts ticks.
#[module]
pub(crate) struct Ticker {
    ticks: Ticks,
}

impl Module for Ticker {
    type Message = DynMessage<Self>;
}

/// A message each period.
#[derive(Clone, Copy)]
pub(crate) struct Tick;

impl Handler<Tick> for Ticker {
    type Reply = ();

    async fn handle(&mut self, Tick: Tick, _: &mut Context<Self>) {
        self.ticks.count();
    }
}

impl<M: Send + 'static> Tell<M> for ModuleRef<Counter>
where
    Counter: Handler<M>,
{
    async fn tell(&self, message: M) {
        assert!(self.send(message).await.is_ok(), "the counter lives");
    }
}

impl Ask for ModuleRef<Counter> {
    async fn ask(&self, number: u64) -> u64 {
        ModuleRef::ask(self, Question(number)).await.expect("the counter answers")
    }
}

impl Tell<Ball> for ModuleRef<Player> {
    async fn tell(&self, ball: Ball) {
        self.send(ball).await.expect("the player lives");
    }
}

impl Join for ModuleRef<Player> {
    async fn join(&self, next: &Self) {
        ModuleRef::ask(self, PassTo(next.clone())).await.expect("the player answers");
    }
}

impl Ask for ModuleRef<Keeper> {
    async fn ask(&self, number: u64) -> u64 {
        ModuleRef::ask(self, Question(number)).await.expect("the keeper answers")
    }
}

impl Stop for ModuleRef<Keeper> {
    async fn stop(self) {
        ModuleRef::stop(&self).await.expect("nobody needs the keeper");
    }
}
