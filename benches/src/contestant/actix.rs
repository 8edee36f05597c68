//! actix: a type per message, `impl Handler` on the actor; actors live on the thread of an arbiter.
//!
//! An actix system runs on one thread: that is its current-thread runtime. For two threads there is a second arbiter. An actor stays on the arbiter that it
//! was started on, so a workload says on which [`Side`] it starts one.

use std::time::Duration;

use actix::dev::ToEnvelope;
use actix::prelude::*;
use tokio::sync::oneshot;
use tokio::task::yield_now;

use super::{Ask, Contestant, Flavor, Join, Side, Stop, Tell, Ticks};
use crate::message::{Ball, Kept, Number, Passing, Payload, Question, Tally};

/// A mailbox that is never full.
const UNBOUNDED: usize = 0;

/// An actix system, and the arbiter on the other thread if there is one.
#[derive(Clone)]
pub(crate) struct Actix {
    here: ArbiterHandle,
    there: Option<ArbiterHandle>,
}

impl Actix {
    /// Starts an actor on one side, as actix's documentation says for this thread and for another.
    fn start<A>(&self, side: Side, capacity: usize, actor: A) -> Addr<A>
    where
        A: Actor<Context = Context<A>> + Send,
    {
        let with_mailbox = move |context: &mut Context<A>| {
            context.set_mailbox_capacity(capacity);
            actor
        };
        match (side, &self.there) {
            (Side::There, Some(there)) => A::start_in_arbiter(there, with_mailbox),
            _ => A::create(with_mailbox),
        }
    }
}

impl Contestant for Actix {
    type Counter = Addr<Counter>;
    type Clerk = Addr<Counter>;
    type Bounded = Bounded;
    type Bulk = Addr<Counter>;
    type Player = Addr<Player>;
    type Keeper = Addr<Keeper>;
    type Ticker = Addr<Ticker>;

    fn run<F>(flavor: Flavor, work: impl FnOnce(Self) -> F + Send + 'static) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        System::new().block_on(async move {
            let other = (flavor == Flavor::Mt).then(Arbiter::new);
            let actix = Self { here: Arbiter::current(), there: other.as_ref().map(Arbiter::handle) };
            actix::spawn(work(actix)).await.expect("the work does not panic")
        })
    }

    fn spawn<F>(&self, side: Side, future: F) -> impl Future<Output = F::Output> + Send
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let arbiter = match (side, &self.there) {
            (Side::There, Some(there)) => there,
            _ => &self.here,
        };
        arbiter.spawn(async {
            // Whoever waits for it does so to the end.
            let _ = sender.send(future.await);
        });
        async { receiver.await.expect("a producer does not panic") }
    }

    async fn counter(&self, side: Side, tally: Tally) -> Option<Self::Counter> {
        Some(self.start(side, UNBOUNDED, Counter { tally }))
    }

    async fn clerk(&self, side: Side) -> Self::Clerk {
        self.start(side, UNBOUNDED, Counter { tally: Tally::unused() })
    }

    async fn bounded(&self, side: Side, capacity: usize, tally: Tally) -> Option<Self::Bounded> {
        Some(Bounded(self.start(side, capacity, Counter { tally })))
    }

    async fn bulk(&self, side: Side, tally: Tally) -> Option<Self::Bulk> {
        Some(self.start(side, UNBOUNDED, Counter { tally }))
    }

    async fn player(&self, side: Side, passing: Passing) -> Self::Player {
        self.start(side, UNBOUNDED, Player { passing, next: None })
    }

    async fn keeper(&self, side: Side, kept: Kept) -> Self::Keeper {
        self.start(side, UNBOUNDED, Keeper { kept })
    }

    async fn ticker(&self, side: Side, period: Duration, ticks: Ticks) -> Self::Ticker {
        self.start(side, UNBOUNDED, Ticker { period, ticks })
    }
}

impl Message for Number {
    type Result = ();
}

impl Message for Payload {
    type Result = ();
}

impl Message for Question {
    type Result = u64;
}

impl Message for Ball {
    type Result = ();
}

/// Counts what it is told.
pub(crate) struct Counter {
    tally: Tally,
}

impl Actor for Counter {
    type Context = Context<Self>;
}

impl Handler<Number> for Counter {
    type Result = ();

    fn handle(&mut self, number: Number, _: &mut Context<Self>) {
        self.tally.add(number);
    }
}

impl Handler<Payload> for Counter {
    type Result = ();

    fn handle(&mut self, payload: Payload, _: &mut Context<Self>) {
        self.tally.add(payload.into());
    }
}

impl Handler<Question> for Counter {
    type Result = u64;

    fn handle(&mut self, question: Question, _: &mut Context<Self>) -> u64 {
        question.answer()
    }
}

/// Passes balls on.
pub(crate) struct Player {
    passing: Passing,
    next: Option<Addr<Player>>,
}

impl Actor for Player {
    type Context = Context<Self>;
}

/// To whom a player passes.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct PassTo(Addr<Player>);

impl Handler<PassTo> for Player {
    type Result = ();

    fn handle(&mut self, PassTo(next): PassTo, _: &mut Context<Self>) {
        self.next = Some(next);
    }
}

impl Handler<Ball> for Player {
    type Result = ();

    fn handle(&mut self, ball: Ball, _: &mut Context<Self>) {
        if let (Some(ball), Some(next)) = (self.passing.pass(ball), &self.next) {
            next.do_send(ball);
        }
    }
}

/// Keeps 64 bytes.
pub(crate) struct Keeper {
    kept: Kept,
}

impl Actor for Keeper {
    type Context = Context<Self>;
}

impl Handler<Question> for Keeper {
    type Result = u64;

    fn handle(&mut self, question: Question, _: &mut Context<Self>) -> u64 {
        self.kept.answer(question)
    }
}

/// Ends a keeper.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct End;

impl Handler<End> for Keeper {
    type Result = ();

    fn handle(&mut self, End: End, context: &mut Context<Self>) {
        context.stop();
    }
}

/// Counts ticks.
pub(crate) struct Ticker {
    period: Duration,
    ticks: Ticks,
}

impl Actor for Ticker {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        context.run_interval(self.period, |ticker, _| ticker.ticks.count());
    }
}

impl<A, M> Tell<M> for Addr<A>
where
    A: Actor<Context: ToEnvelope<A, M>> + Handler<M>,
    M: Message<Result = ()> + Send + 'static,
{
    async fn tell(&self, message: M) {
        self.do_send(message);
    }
}

/// A reference to a counter that takes care not to overfill its mailbox.
#[derive(Clone)]
pub(crate) struct Bounded(Addr<Counter>);

impl Tell<Number> for Bounded {
    /// `do_send` ignores the bound, and `send` waits for the answer; what waits for room is to try again.
    async fn tell(&self, number: Number) {
        let mut message = number;
        loop {
            match self.0.try_send(message) {
                Ok(()) => return,
                Err(SendError::Full(refused)) => message = refused,
                Err(SendError::Closed(_)) => panic!("the counter lives"),
            }
            yield_now().await;
        }
    }
}

impl<A> Ask for Addr<A>
where
    A: Actor<Context: ToEnvelope<A, Question>> + Handler<Question>,
{
    async fn ask(&self, number: u64) -> u64 {
        self.send(Question(number)).await.expect("the actor answers")
    }
}

impl Join for Addr<Player> {
    async fn join(&self, next: &Self) {
        self.send(PassTo(next.clone())).await.expect("the player answers");
    }
}

impl Stop for Addr<Keeper> {
    /// An actor on the same arbiter has ended when this answer is there: both happen before another task of the thread runs.
    async fn stop(self) {
        self.send(End).await.expect("the keeper answers");
    }
}
