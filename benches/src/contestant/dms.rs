//! dms, as its README says: `#[module]` on the struct and on the impl.

use std::sync::Arc;
use std::time::Duration;

use dms::prelude::*;

use super::{Ask, Contestant, Flavor, Join, Side, Stop, Tell, Ticks};
use crate::message::{Ball, Kept, Number, Passing, Payload, Question, Tally};

/// A system of modules.
#[derive(Clone)]
pub(crate) struct Dms(Arc<System>);

impl Contestant for Dms {
    type Counter = ModuleRef<Counter>;
    type Clerk = ModuleRef<Counter>;
    type Bounded = ModuleRef<Counter>;
    type Bulk = ModuleRef<Bulk>;
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
        Some(self.0.register_module(Bulk { tally }).await.expect("a counter"))
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

#[module(visibility = "pub(crate)")]
impl Counter {
    #[handler]
    fn add(&mut self, number: Number) {
        self.tally.add(number);
    }

    #[handler]
    fn question(&self, question: Question) -> u64 {
        question.answer()
    }
}

/// Counts what it is told in large messages.
#[module]
pub(crate) struct Bulk {
    tally: Tally,
}

#[module(visibility = "pub(crate)")]
impl Bulk {
    #[handler]
    fn add(&mut self, payload: Payload) {
        self.tally.add(payload.into());
    }
}

/// Passes balls on.
#[module]
pub(crate) struct Player {
    passing: Passing,
    next: Option<ModuleRef<Player>>,
}

#[module(visibility = "pub(crate)")]
impl Player {
    #[handler(PassTo)]
    fn pass_to(&mut self, next: ModuleRef<Player>) {
        self.next = Some(next);
    }

    #[handler]
    async fn take(&mut self, ball: Ball) {
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

#[module(visibility = "pub(crate)")]
impl Keeper {
    #[handler]
    fn question(&self, question: Question) -> u64 {
        self.kept.answer(question)
    }
}

/// Counts ticks.
#[module]
pub(crate) struct Ticker {
    ticks: Ticks,
}

/// A message each period.
#[derive(Clone, Copy)]
pub(crate) struct Tick;

#[module(visibility = "pub(crate)")]
impl Ticker {
    #[handler]
    fn tick(&mut self, Tick: Tick) {
        self.ticks.count();
    }
}

impl Tell<Number> for ModuleRef<Counter> {
    async fn tell(&self, number: Number) {
        self.send(number).await.expect("the counter lives");
    }
}

impl Ask for ModuleRef<Counter> {
    async fn ask(&self, number: u64) -> u64 {
        ModuleRef::ask(self, Question(number)).await.expect("the counter answers")
    }
}

impl Tell<Payload> for ModuleRef<Bulk> {
    async fn tell(&self, payload: Payload) {
        self.send(payload).await.expect("the counter lives");
    }
}

impl Tell<Ball> for ModuleRef<Player> {
    async fn tell(&self, ball: Ball) {
        self.send(ball).await.expect("the player lives");
    }
}

impl Join for ModuleRef<Player> {
    async fn join(&self, next: &Self) {
        self.pass_to(next.clone()).await.expect("the player answers");
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
