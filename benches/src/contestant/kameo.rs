//! kameo: a type per message, `impl Message` on the actor.
//!
//! Requests are sent with `.send()`, as in kameo's own benchmarks: to await a request itself boxes a future. Mailboxes are unbounded, where by default they
//! have room for 64, as everybody's are.

use std::sync::Arc;
use std::time::Duration;

use kameo::Actor;
use kameo::actor::{ActorRef, Spawn};
use kameo::mailbox::{bounded, unbounded};
use kameo::message::{Context, Message};
use kameo_actors::scheduler::{Scheduler, SetInterval};

use super::{Ask, Contestant, Flavor, Join, Side, Stop, Tell, Ticks};
use crate::message::{Ball, Kept, Number, Passing, Payload, Question, Tally};

/// kameo, with the actor of its companion crate that schedules messages.
#[derive(Clone)]
pub(crate) struct Kameo {
    scheduler: Arc<ActorRef<Scheduler>>,
}

impl Contestant for Kameo {
    type Counter = ActorRef<Counter>;
    type Clerk = ActorRef<Counter>;
    type Bounded = ActorRef<Counter>;
    type Bulk = ActorRef<Counter>;
    type Player = ActorRef<Player>;
    type Keeper = ActorRef<Keeper>;
    type Ticker = ActorRef<Ticker>;

    fn run<F>(flavor: Flavor, work: impl FnOnce(Self) -> F + Send + 'static) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        flavor.run(async { work(Self { scheduler: Arc::new(Scheduler::spawn(Scheduler::new())) }).await })
    }

    async fn counter(&self, _: Side, tally: Tally) -> Option<Self::Counter> {
        Some(Counter::spawn_with_mailbox(Counter { tally }, unbounded()))
    }

    async fn clerk(&self, _: Side) -> Self::Clerk {
        Counter::spawn_with_mailbox(Counter { tally: Tally::unused() }, unbounded())
    }

    async fn bounded(&self, _: Side, capacity: usize, tally: Tally) -> Option<Self::Bounded> {
        Some(Counter::spawn_with_mailbox(Counter { tally }, bounded(capacity)))
    }

    async fn bulk(&self, _: Side, tally: Tally) -> Option<Self::Bulk> {
        Some(Counter::spawn_with_mailbox(Counter { tally }, unbounded()))
    }

    async fn player(&self, _: Side, passing: Passing) -> Self::Player {
        Player::spawn_with_mailbox(Player { passing, next: None }, unbounded())
    }

    async fn keeper(&self, _: Side, kept: Kept) -> Self::Keeper {
        Keeper::spawn_with_mailbox(Keeper { kept }, unbounded())
    }

    /// The scheduler tells the actor.
    async fn ticker(&self, _: Side, period: Duration, ticks: Ticks) -> Self::Ticker {
        let ticker = Ticker::spawn_with_mailbox(Ticker { ticks }, unbounded());
        let interval = SetInterval::new(ticker.downgrade(), period, Tick);
        self.scheduler.tell(interval).send().await.expect("the scheduler lives");
        ticker
    }
}

/// Counts what it is told.
#[derive(Actor)]
pub(crate) struct Counter {
    tally: Tally,
}

impl Message<Number> for Counter {
    type Reply = ();

    async fn handle(&mut self, number: Number, _: &mut Context<Self, Self::Reply>) {
        self.tally.add(number);
    }
}

impl Message<Payload> for Counter {
    type Reply = ();

    async fn handle(&mut self, payload: Payload, _: &mut Context<Self, Self::Reply>) {
        self.tally.add(payload.into());
    }
}

impl Message<Question> for Counter {
    type Reply = u64;

    async fn handle(&mut self, question: Question, _: &mut Context<Self, Self::Reply>) -> u64 {
        question.answer()
    }
}

/// Passes balls on.
#[derive(Actor)]
pub(crate) struct Player {
    passing: Passing,
    next: Option<ActorRef<Player>>,
}

/// To whom a player passes.
pub(crate) struct PassTo(ActorRef<Player>);

impl Message<PassTo> for Player {
    type Reply = ();

    async fn handle(&mut self, PassTo(next): PassTo, _: &mut Context<Self, Self::Reply>) {
        self.next = Some(next);
    }
}

impl Message<Ball> for Player {
    type Reply = ();

    async fn handle(&mut self, ball: Ball, _: &mut Context<Self, Self::Reply>) {
        if let (Some(ball), Some(next)) = (self.passing.pass(ball), &self.next) {
            next.tell(ball).send().await.expect("the next player lives");
        }
    }
}

/// Keeps 64 bytes.
#[derive(Actor)]
pub(crate) struct Keeper {
    kept: Kept,
}

impl Message<Question> for Keeper {
    type Reply = u64;

    async fn handle(&mut self, question: Question, _: &mut Context<Self, Self::Reply>) -> u64 {
        self.kept.answer(question)
    }
}

/// Counts ticks.
#[derive(Actor)]
pub(crate) struct Ticker {
    ticks: Ticks,
}

/// A message each period.
#[derive(Clone, Copy)]
pub(crate) struct Tick;

impl Message<Tick> for Ticker {
    type Reply = ();

    async fn handle(&mut self, Tick: Tick, _: &mut Context<Self, Self::Reply>) {
        self.ticks.count();
    }
}

impl<M: Send + 'static> Tell<M> for ActorRef<Counter>
where
    Counter: Message<M>,
{
    async fn tell(&self, message: M) {
        assert!(ActorRef::tell(self, message).send().await.is_ok(), "the counter lives");
    }
}

impl Ask for ActorRef<Counter> {
    async fn ask(&self, number: u64) -> u64 {
        ActorRef::ask(self, Question(number)).send().await.expect("the counter answers")
    }
}

impl Tell<Ball> for ActorRef<Player> {
    async fn tell(&self, ball: Ball) {
        ActorRef::tell(self, ball).send().await.expect("the player lives");
    }
}

impl Join for ActorRef<Player> {
    async fn join(&self, next: &Self) {
        ActorRef::ask(self, PassTo(next.clone())).send().await.expect("the player answers");
    }
}

impl Ask for ActorRef<Keeper> {
    async fn ask(&self, number: u64) -> u64 {
        ActorRef::ask(self, Question(number)).send().await.expect("the keeper answers")
    }
}

impl Stop for ActorRef<Keeper> {
    async fn stop(self) {
        self.stop_gracefully().await.expect("the keeper lives");
        self.wait_for_shutdown().await;
    }
}
