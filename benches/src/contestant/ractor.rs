//! ractor: an enum of messages, one `handle` with a `match`, the state beside the actor.

use std::time::Duration;

use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, call, cast};

use super::{Ask, Contestant, Flavor, Join, Never, Side, Stop, Tell, Ticks};
use crate::message::{Ball, Kept, Number, Passing, Payload, Question, Tally};

/// ractor. Its mailboxes have no bound.
#[derive(Clone, Copy)]
pub(crate) struct Ractor;

impl Contestant for Ractor {
    type Counter = ActorRef<CounterMessage>;
    type Clerk = ActorRef<CounterMessage>;
    type Bounded = Never;
    type Bulk = ActorRef<Payload>;
    type Player = ActorRef<PlayerMessage>;
    type Keeper = RunningKeeper;
    type Ticker = ActorRef<Tick>;

    fn run<F>(flavor: Flavor, work: impl FnOnce(Self) -> F + Send + 'static) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        flavor.run(async { work(Self).await })
    }

    async fn counter(&self, _: Side, tally: Tally) -> Option<Self::Counter> {
        Some(spawn(Counter, tally).await)
    }

    async fn clerk(&self, _: Side) -> Self::Clerk {
        spawn(Counter, Tally::unused()).await
    }

    async fn bounded(&self, _: Side, _: usize, _: Tally) -> Option<Self::Bounded> {
        None
    }

    async fn bulk(&self, _: Side, tally: Tally) -> Option<Self::Bulk> {
        Some(spawn(Bulk, tally).await)
    }

    async fn player(&self, _: Side, passing: Passing) -> Self::Player {
        spawn(Player, passing).await
    }

    async fn keeper(&self, _: Side, kept: Kept) -> Self::Keeper {
        let (keeper, task) = Actor::spawn(None, Keeper, kept).await.expect("a keeper");
        RunningKeeper { keeper, task }
    }

    async fn ticker(&self, _: Side, period: Duration, ticks: Ticks) -> Self::Ticker {
        let ticker = spawn(Ticker, ticks).await;
        ticker.send_interval(period, || Tick);
        ticker
    }
}

async fn spawn<A: Actor>(actor: A, arguments: A::Arguments) -> ActorRef<A::Msg> {
    Actor::spawn(None, actor, arguments).await.expect("an actor").0
}

/// Counts what it is told.
pub(crate) struct Counter;

/// What a counter takes.
pub(crate) enum CounterMessage {
    Add(Number),
    Ask(Question, RpcReplyPort<u64>),
}

impl Actor for Counter {
    type Msg = CounterMessage;
    type State = Tally;
    type Arguments = Tally;

    async fn pre_start(&self, _: ActorRef<CounterMessage>, tally: Tally) -> Result<Tally, ActorProcessingErr> {
        Ok(tally)
    }

    async fn handle(
        &self,
        _: ActorRef<CounterMessage>,
        message: CounterMessage,
        tally: &mut Tally,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            CounterMessage::Add(number) => tally.add(number),
            CounterMessage::Ask(question, reply) => reply.send(question.answer())?,
        }
        Ok(())
    }
}

/// Counts what it is told in large messages.
pub(crate) struct Bulk;

impl Actor for Bulk {
    type Msg = Payload;
    type State = Tally;
    type Arguments = Tally;

    async fn pre_start(&self, _: ActorRef<Payload>, tally: Tally) -> Result<Tally, ActorProcessingErr> {
        Ok(tally)
    }

    async fn handle(
        &self,
        _: ActorRef<Payload>,
        payload: Payload,
        tally: &mut Tally,
    ) -> Result<(), ActorProcessingErr> {
        tally.add(payload.into());
        Ok(())
    }
}

/// Passes balls on.
pub(crate) struct Player;

/// What a player takes.
pub(crate) enum PlayerMessage {
    PassTo(ActorRef<PlayerMessage>, RpcReplyPort<()>),
    Take(Ball),
}

/// To whom a player passes, and what it knows of the game.
pub(crate) struct PlayerState {
    passing: Passing,
    next: Option<ActorRef<PlayerMessage>>,
}

impl Actor for Player {
    type Msg = PlayerMessage;
    type State = PlayerState;
    type Arguments = Passing;

    async fn pre_start(&self, _: ActorRef<PlayerMessage>, passing: Passing) -> Result<PlayerState, ActorProcessingErr> {
        Ok(PlayerState { passing, next: None })
    }

    async fn handle(
        &self,
        _: ActorRef<PlayerMessage>,
        message: PlayerMessage,
        state: &mut PlayerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            PlayerMessage::PassTo(next, reply) => {
                state.next = Some(next);
                reply.send(())?;
            }
            PlayerMessage::Take(ball) => {
                if let (Some(ball), Some(next)) = (state.passing.pass(ball), &state.next) {
                    cast!(next, PlayerMessage::Take(ball))?;
                }
            }
        }
        Ok(())
    }
}

/// Keeps 64 bytes.
pub(crate) struct Keeper;

/// What a keeper takes.
pub(crate) enum KeeperMessage {
    Ask(Question, RpcReplyPort<u64>),
}

impl Actor for Keeper {
    type Msg = KeeperMessage;
    type State = Kept;
    type Arguments = Kept;

    async fn pre_start(&self, _: ActorRef<KeeperMessage>, kept: Kept) -> Result<Kept, ActorProcessingErr> {
        Ok(kept)
    }

    async fn handle(
        &self,
        _: ActorRef<KeeperMessage>,
        KeeperMessage::Ask(question, reply): KeeperMessage,
        kept: &mut Kept,
    ) -> Result<(), ActorProcessingErr> {
        reply.send(kept.answer(question))?;
        Ok(())
    }
}

/// Counts ticks.
pub(crate) struct Ticker;

/// A message each period.
pub(crate) struct Tick;

impl Actor for Ticker {
    type Msg = Tick;
    type State = Ticks;
    type Arguments = Ticks;

    async fn pre_start(&self, _: ActorRef<Tick>, ticks: Ticks) -> Result<Ticks, ActorProcessingErr> {
        Ok(ticks)
    }

    async fn handle(&self, _: ActorRef<Tick>, Tick: Tick, ticks: &mut Ticks) -> Result<(), ActorProcessingErr> {
        ticks.count();
        Ok(())
    }
}

impl Tell<Number> for ActorRef<CounterMessage> {
    async fn tell(&self, number: Number) {
        cast!(self, CounterMessage::Add(number)).expect("the counter lives");
    }
}

impl Ask for ActorRef<CounterMessage> {
    async fn ask(&self, number: u64) -> u64 {
        call!(self, CounterMessage::Ask, Question(number)).expect("the counter answers")
    }
}

impl Tell<Payload> for ActorRef<Payload> {
    async fn tell(&self, payload: Payload) {
        cast!(self, payload).expect("the counter lives");
    }
}

impl Tell<Ball> for ActorRef<PlayerMessage> {
    async fn tell(&self, ball: Ball) {
        cast!(self, PlayerMessage::Take(ball)).expect("the player lives");
    }
}

impl Join for ActorRef<PlayerMessage> {
    async fn join(&self, next: &Self) {
        call!(self, PlayerMessage::PassTo, next.clone()).expect("the player answers");
    }
}

/// A keeper, and the task that it runs in.
pub(crate) struct RunningKeeper {
    keeper: ActorRef<KeeperMessage>,
    task: JoinHandle<()>,
}

impl Ask for RunningKeeper {
    async fn ask(&self, number: u64) -> u64 {
        call!(self.keeper, KeeperMessage::Ask, Question(number)).expect("the keeper answers")
    }
}

impl Stop for RunningKeeper {
    async fn stop(self) {
        self.keeper.stop(None);
        self.task.await.expect("the keeper does not panic");
    }
}
